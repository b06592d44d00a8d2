"""What a machine decides alone: a near copy of what a person decided before, and nothing else (T-21).

Behind each such decision stands a person's, by which the fingerprint was confirmed; its rule is the one that is cited.
Some of them, drawn by lot, are asked again of a person who cannot tell them from any other question.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from moderation import services as moderation
from moderation.models import (
    AuditEntry,
    BankedHash,
    Enforcement,
    Flag,
    HashConfirmation,
    Match,
)
from reviews.models import Claim, Decision, Policy, Sample
from reviews.pipeline.telling import tell

_AT_ONCE = 200
# As long as a match waits for a person at most: nothing about a sample looks different.
_DUE = timedelta(hours=24)
_FACTS = gettext_noop(
    "The post contains an image that a reviewer has found to break this rule before."
)
_REASONING = gettext_noop(
    "An image that breaks the rule breaks it in every copy. A reviewer decided about the image."
)


def decide_automatically(now: datetime) -> int:
    """Answer the open questions that a machine may answer; how many there were."""
    flags = moderation.removable_flags(now).order_by("pk")
    keys = list(flags.values_list("pk", flat=True)[:_AT_ONCE])
    return sum(_decided(pk, now) for pk in keys)


@transaction.atomic
def _decided(pk: int, now: datetime) -> bool:
    flag = _locked(pk)
    if flag is None:
        return False
    AuditEntry.lock()
    ground = _ground(flag, now)
    if ground is None:
        return False
    match, policy = ground
    decision = Decision.objects.create(
        flag=flag,
        is_automatic=True,
        policy=policy,
        removes=True,
        disables_account=False,
        facts=_FACTS,
        reasoning=_REASONING,
        found_by_machine=True,
        decided_at=now,
    )
    flag.resolve(now)
    AuditEntry.record(
        actor="machine",
        verb="flag.decided_automatically",
        target=decision,
        flag=flag.pk,
        policy=policy.pk,
        match=match.pk,
    )
    moderation.order_enforcement(
        content=flag.content,
        action=Enforcement.Action.REMOVE,
        cause_ref=decision.public_id,
        actor=None,
        now=now,
    )
    tell(decision, now)
    _draw(decision, match, now)
    return True


def _locked(pk: int) -> Flag | None:
    """The flag and the orders of its content, locked before the record is; None if somebody has it or is looking."""
    rows = Flag.objects.open().filter(pk=pk)
    flag = rows.select_for_update(skip_locked=True, of=("self",)).first()
    if flag is None or Claim.objects.active().filter(flag=flag).exists():
        return None
    orders = Enforcement.objects.filter(content=flag.content_id).order_by("pk")
    list(orders.select_for_update(of=("self",)).values_list("pk"))
    return flag


def _ground(flag: Flag, now: datetime) -> tuple[Match, Policy] | None:
    """The nearest match behind which a person's decision stands, and the rule that this person cited."""
    if not moderation.removable_flags(now).filter(pk=flag.pk).exists():
        return None
    for match in moderation.surely_matched(content=flag.content, now=now):
        policy = cited(match.banked_hash)
        if policy is not None:
            return match, policy
    return None


def cited(banked: BankedHash | None, *, without: Collection[str] = ()) -> Policy | None:
    """The rule that a person cited who confirmed this fingerprint, if a machine may cite it too.

    :param without: decisions, by reference, to take as overturned.
    """
    said = HashConfirmation.objects.filter(banked_hash=banked)
    decisions = Decision.objects.standing().by_people().filter(removes=True)
    found = decisions.filter(public_id__in=said.values("cause_ref"))
    rows = found.order_by("-decided_at", "-pk").values_list("public_id", "policy__slug")
    slugs = [slug for ref, slug in rows if ref not in without]
    current = Policy.objects.current().filter(slug__in=slugs, is_automatic=True)
    rules = {policy.slug: policy for policy in current}
    return next((rules[slug] for slug in slugs if slug in rules), None)


def _draw(decision: Decision, match: Match, now: datetime) -> None:
    """The lot lies in the decision's own random token: nobody chooses it, and anybody can work it out again."""
    digest = hashlib.sha256(f"sample/{decision.public_id}".encode()).digest()
    draw = int.from_bytes(digest[:8], "big") % 10_000
    drawn = draw < settings.AUTOMATIC_SAMPLE_PERCENT * 100
    sample = Sample.objects.create(
        decision=decision,
        bank=match.bank,
        draw=draw,
        flag=_asked_again(decision.flag, now) if drawn else None,
    )
    AuditEntry.record(
        actor="machine",
        verb="decision.drawn" if drawn else "decision.not_drawn",
        target=sample,
        decision=decision.pk,
        draw=draw,
    )


def _asked_again(flag: Flag, now: datetime) -> Flag:
    return Flag.objects.create(
        content=flag.content,
        source=Flag.Source.SAMPLE,
        priority=flag.priority,
        priority_parts=flag.priority_parts,
        raised_at=now,
        due_at=now + _DUE,
    )
