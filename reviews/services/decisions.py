"""The answer: written once, with everything it orders, or not at all."""

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from moderation import services as moderation
from moderation.errors import Refusal
from moderation.models import AuditEntry, Content, Enforcement, Flag, Notice, User, Work
from reviews.models import AppealGrant, Claim, Decision, Policy
from reviews.services.claims import MayNotReview
from reviews.services.looks import LeaseLost
from reviews.services.statements import (
    Statement,
    appeal_until,
    found_by_machine,
    statement_of_reasons,
)


class AlreadyDecided(Refusal):
    """The flag has its answer."""

    code = "already_decided"


class FlagChanged(Refusal):
    """New evidence came while the reviewer was reading the old."""

    code = "flag_changed"


class PolicyMismatch(Refusal):
    """The outcome is not the one that the cited policy has."""

    code = "policy_mismatch"


def appeal_link(raw: str) -> str:
    return f"{settings.APPEALS_URL}/again/{raw}/"


@transaction.atomic
def decide(
    *,
    claim_token: str,
    reviewer: User,
    version: int,
    policy: Policy,
    removes: bool,
    disables_account: bool,
    facts: str,
    reasoning: str,
    private_notes: str,
    now: datetime,
) -> Decision:
    """Answer a flag, close it, and order whatever the answer requires.

    :param version: the flag's version that the reviewer saw.
    :raises MayNotReview: if their role does not review.
    :raises LeaseLost: if the claim is over, is somebody else's, or the flag was claimed again since.
    :raises AlreadyDecided: if the flag is closed.
    :raises FlagChanged: if there is evidence that the reviewer has not seen.
    :raises PolicyMismatch: if the policy has another outcome, or was replaced.
    :raises StatementIncomplete: if the statement of reasons would have a hole.
    """
    if not reviewer.may_review:
        raise MayNotReview(_("Your role does not include reviewing."))
    flag, claim = _held(claim_token, reviewer, version)
    if policy.removes != removes or policy.outcome == Policy.Outcome.PASSES_ON:
        raise PolicyMismatch(_("This policy was changed meanwhile. Choose again."))
    decision = Decision.objects.create(
        flag=flag,
        reviewer=reviewer,
        policy=policy,
        removes=removes,
        disables_account=disables_account,
        facts=facts,
        reasoning=reasoning,
        private_notes=private_notes,
        found_by_machine=found_by_machine(flag),
        decided_at=now,
    )
    flag.resolve(now)
    _end(claim)
    AuditEntry.record(
        actor=reviewer,
        verb="flag.decided",
        target=decision,
        flag=flag.pk,
        policy=policy.pk,
        removes=removes,
        disables_account=disables_account,
    )
    if removes:
        _take_down(decision, flag, now)
    else:
        _leave_up(decision, flag, now)
    return decision


def _held(claim_token: str, reviewer: User, version: int) -> tuple[Flag, Claim]:
    """The flag, locked, and the lease on it, checked under that lock."""
    lost = LeaseLost(_("Your time with this one is over, and it went back."))
    claim = Claim.objects.filter(token=claim_token, reviewer=reviewer).first()
    if claim is None:
        raise lost
    rows = Flag.objects.select_for_update(of=("self",))
    flag = rows.select_related("content__account", "content__platform").get(
        pk=claim.flag_id
    )
    if not flag.is_open:
        raise AlreadyDecided(_("This one has been decided already."))
    live = Claim.objects.live(Now()).filter(pk=claim.pk, epoch=flag.lease_epoch)
    if not live.exists():
        raise lost
    if flag.version != version:
        raise FlagChanged(_("Something new came in while you were looking."))
    # Locked before the record is, as workers do who finish an order: so neither waits for the other for ever.
    orders = Enforcement.objects.filter(content=flag.content).order_by("pk")
    list(orders.select_for_update(of=("self",)).values_list("pk"))
    return flag, claim


def _end(claim: Claim) -> None:
    # Compare-and-set: a sweeper may have ended the lease in this very moment; then nothing of this stands.
    mine = Claim.objects.active().filter(pk=claim.pk, epoch=claim.epoch)
    if not mine.update(ended_at=Now(), ended_why=Claim.Ended.DECIDED):
        raise LeaseLost(_("Your time with this one is over, and it went back."))


def _take_down(decision: Decision, flag: Flag, now: datetime) -> None:
    content, actor, ref = flag.content, decision.reviewer, decision.public_id
    moderation.order_enforcement(
        content=content,
        action=Enforcement.Action.REMOVE,
        cause_ref=ref,
        actor=actor,
        now=now,
    )
    if decision.disables_account:
        moderation.order_enforcement(
            content=content,
            action=Enforcement.Action.DISABLE_ACCOUNT,
            cause_ref=ref,
            actor=actor,
            now=now,
            needs_approval=True,
        )
    moderation.confirm_matches(content=content, cause_ref=ref, actor=actor, now=now)
    if decision.policy.banks_copies:
        moderation.bank_copy(content=content, cause_ref=ref, actor=actor, now=now)
    _tell(decision, flag, _granted(decision, now), now)


def _granted(decision: Decision, now: datetime) -> str:
    """The raw token goes into the sealed statement and nowhere else."""
    raw = secrets.token_urlsafe(32)
    AppealGrant.objects.create(
        decision=decision,
        party=AppealGrant.Party.UPLOADER,
        token_sha256=hashlib.sha256(raw.encode()).hexdigest(),
        created_at=now,
        expires_at=appeal_until(now),
    )
    return raw


def _tell(decision: Decision, flag: Flag, raw: str, now: datetime) -> Notice:
    statement: Statement = statement_of_reasons(
        flag=flag,
        policy=decision.policy,
        disables_account=decision.disables_account,
        facts=decision.facts,
        reasoning=decision.reasoning,
        appeal_link=appeal_link(raw),
        now=now,
    )
    return moderation.order_notice(
        content=flag.content,
        kind=Notice.Kind.STATEMENT_OF_REASONS,
        cause_ref=decision.public_id,
        language=statement.language,
        subject=statement.subject,
        body=statement.body,
        now=now,
    )


def _leave_up(decision: Decision, flag: Flag, now: datetime) -> None:
    content, actor, ref = flag.content, decision.reviewer, decision.public_id
    for cause_ref in _causes_of_holds(content):
        moderation.reverse_enforcements(
            cause_ref=cause_ref, new_cause_ref=ref, actor=actor, now=now
        )
    if content.matches.exists():
        # Otherwise the same fingerprint would hold the same picture again tomorrow.
        moderation.except_content(
            content=content,
            cause_ref=ref,
            actor=actor,
            now=now,
            same_file_only=True,
        )


def _causes_of_holds(content: Content) -> list[str]:
    holds = Enforcement.objects.filter(
        content=content, action=Enforcement.Action.HOLD, reversed_by__isnull=True
    ).exclude(work_state=Work.WorkState.CANCELLED)
    return list(holds.order_by("cause_ref").values_list("cause_ref", flat=True))
