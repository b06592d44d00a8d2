"""The answer: written once, with everything it orders, or not at all."""

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from moderation import services as moderation
from moderation.errors import Refusal
from moderation.models import AuditEntry, Content, Enforcement, Flag, User, Work
from reviews.models import Claim, Decision, Policy
from reviews.pipeline import found_by_machine, tell
from reviews.services.claims import MayNotReview
from reviews.services.looks import LeaseLost
from reviews.services.samples import agree, take_back


class AlreadyDecided(Refusal):
    """The flag has its answer."""

    code = "already_decided"


class FlagChanged(Refusal):
    """New evidence came while the reviewer was reading the old."""

    code = "flag_changed"


class PolicyMismatch(Refusal):
    """The outcome is not the one that the cited policy has."""

    code = "policy_mismatch"


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
    is_sample = flag.source == Flag.Source.SAMPLE
    if removes and is_sample:
        agree(decision, now)
    elif removes:
        _take_down(decision, reviewer, now)
    else:
        if is_sample:
            take_back(decision, now)
        _leave_up(decision, reviewer, now)
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


def _take_down(decision: Decision, actor: User, now: datetime) -> None:
    content, ref = decision.flag.content, decision.public_id
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
    tell(decision, now)


def _leave_up(decision: Decision, actor: User, now: datetime) -> None:
    content, ref = decision.flag.content, decision.public_id
    for cause_ref in _causes_of_holds(content, ref):
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


def _causes_of_holds(content: Content, ref: str) -> list[str]:
    """None if the same answer restores what a machine had removed: that ends a hold too."""
    restored = Enforcement.objects.filter(
        content=content, action=Enforcement.Action.RESTORE, cause_ref=ref
    )
    if restored.exclude(work_state=Work.WorkState.CANCELLED).exists():
        return []
    holds = Enforcement.objects.filter(
        content=content, action=Enforcement.Action.HOLD, reversed_by__isnull=True
    ).exclude(work_state=Work.WorkState.CANCELLED)
    return list(holds.order_by("cause_ref").values_list("cause_ref", flat=True))
