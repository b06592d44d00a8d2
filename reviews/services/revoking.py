"""Undo what one source of fingerprints caused, in batches that may be stopped and taken up again (playbook 6).

First its fingerprints, so that matching stops with the next call; then the decisions that rest on it alone, in rounds,
because the copies that one of them banked may be all that another one rests on; then questions and holds. What another
source found too stays. The plan is worked out by the same lines for a dry run and for the deed.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from moderation import services as moderation
from moderation.errors import Refusal
from moderation.models import (
    AuditEntry,
    Content,
    Enforcement,
    Flag,
    HashBank,
    Match,
    User,
    Work,
)
from reviews.models import Decision, Reversal, Revocation
from reviews.pipeline import cited, tell_reversed
from reviews.services.samples import overturn

_Stage = Revocation.Stage
# What a dry run prints and a run counts; see ``dry_run``.
COUNTED = (
    "hashes",
    "matches",
    "shares",
    "decisions",
    "enforcements",
    "notices",
    "flags_closed",
    "flags_weakened",
    "flags_raised",
    "holds",
)


class ReasonTooWeak(Refusal):
    """A person's fingerprint is revoked for one reason only (T-20)."""

    code = "reason_too_weak"


@dataclass(frozen=True, slots=True)
class Falling:
    """What falls with a decision."""

    decision: Decision
    enforcements: int
    is_told: bool


def begin_revocation(
    *,
    ref: str = "",
    bank: str = "",
    reason: Revocation.Reason,
    by: User,
    approved_by: User,
    now: datetime,
) -> Revocation:
    """Write down who decides it and why; or give the one back that was begun and not finished.

    :raises NothingToRevoke: if there is no such source.
    :raises NotTwoPeople: unless two people who may answer for it are named.
    :raises ReasonTooWeak: if people's own fingerprints are among them, and the reason is not that the picture is wrong.
    """
    source = moderation.find_source(ref=ref, bank=bank)
    moderation.two_people(by, approved_by)
    theirs = source.hashes().filter(bank__kind=HashBank.Kind.CASES)
    if reason != Revocation.Reason.WRONG_PICTURE and theirs.exists():
        raise ReasonTooWeak(
            "People banked these themselves. Only this is a reason: the banked picture itself is wrong."
        )
    kind = Revocation.Kind.BANK if bank else Revocation.Kind.SOURCE
    with transaction.atomic():
        revocation, created = Revocation.objects.unfinished().get_or_create(
            kind=kind,
            ref=bank or ref,
            defaults={
                "reason": reason,
                "decided_by": by,
                "approved_by": approved_by,
                "begun_at": now,
                "counts": _at_first(source),
            },
        )
        if created:
            AuditEntry.record(
                actor=by,
                verb="source.revocation_begun",
                target=revocation,
                approved_by=approved_by.pk,
                reason=reason,
            )
    return revocation


def _at_first(source: moderation.Source) -> dict[str, int]:
    return {"matches": source.matches().count(), "shares": source.shares().count()}


def revoke_source(
    revocation: Revocation, *, batch: int, now: datetime
) -> Iterator[Revocation]:
    """Carry it through, a batch at a time; each step is kept, and whoever stops here goes on there."""
    while revocation.stage != _Stage.DONE:
        _STEPS[_Stage(revocation.stage)](revocation, batch, now)
        with transaction.atomic():
            AuditEntry.record(
                actor=revocation.decided_by,
                verb="source.revoked_batch",
                target=revocation,
                stage=revocation.stage,
                round=revocation.round,
                cursor=revocation.cursor,
            )
        yield revocation


def dry_run(source: moderation.Source, now: datetime) -> dict[str, int]:
    """What a run would do now, counted; nothing is changed and nothing is locked."""
    total: Counter[str] = Counter(_at_first(source))
    total["hashes"] = source.hashes().live().count()
    fallen: dict[int, set[str]] = {}
    while True:
        before = len(source.fallen)
        for pk in _touched(source):
            for one in _falling(pk, source, now):
                source.fallen.add(one.decision.public_id)
                fallen.setdefault(pk, set()).add(one.decision.public_id)
                total.update(_counted(one))
        if len(source.fallen) == before:
            break
    for pk in _touched(source):
        content = Content.objects.get(pk=pk)
        found = moderation.unsettled(
            content=content, source=source, reversed_refs=fallen.get(pk, ())
        )
        total.update(_settled(found))
    return {name: total[name] for name in COUNTED}


def _hashes(revocation: Revocation, batch: int, now: datetime) -> None:
    source = _source(revocation)
    with transaction.atomic():
        done = moderation.revoke_hashes(source=source, limit=batch, now=now)
        revocation.add({"hashes": done})
        if not done:
            revocation.enter(_Stage.DECISIONS, now)


def _decisions(revocation: Revocation, batch: int, now: datetime) -> None:
    source = _source(revocation)
    contents = _touched(source, revocation.cursor, batch)
    for pk in contents:
        source.fallen.update(_reverse(revocation, source, pk, now))
    if contents:
        revocation.move(contents[-1])
    elif revocation.reversals.filter(round=revocation.round).exists():
        revocation.next_round()
    else:
        revocation.enter(_Stage.QUESTIONS, now)


def _questions(revocation: Revocation, batch: int, now: datetime) -> None:
    source = _source(revocation)
    contents = _touched(source, revocation.cursor, batch)
    for pk in contents:
        _settle(revocation, source, pk, now)
    if contents:
        revocation.move(contents[-1])
    else:
        revocation.enter(_Stage.COPIES, now)


def _copies(revocation: Revocation, batch: int, now: datetime) -> None:
    if moderation.cut_copies(source=_source(revocation), limit=batch):
        return
    with transaction.atomic():
        revocation.enter(_Stage.DONE, now)
        AuditEntry.record(
            actor=revocation.decided_by, verb="source.revoked", target=revocation
        )


_STEPS = {
    _Stage.HASHES: _hashes,
    _Stage.DECISIONS: _decisions,
    _Stage.QUESTIONS: _questions,
    _Stage.COPIES: _copies,
}


def _source(revocation: Revocation) -> moderation.Source:
    refs = revocation.reversals.values_list("decision__public_id", flat=True)
    if revocation.kind == Revocation.Kind.BANK:
        bank = HashBank.objects.get(slug=revocation.ref)
        return moderation.Source(bank=bank, fallen=set(refs))
    return moderation.Source(ref=revocation.ref, fallen=set(refs))


def _touched(
    source: moderation.Source, after: int = 0, limit: int | None = None
) -> list[int]:
    """The contents that its fingerprints, or copies that fell with it, have matched: primary keys, in order."""
    rows = source.touched().filter(content__gt=after).order_by("content")
    return list(rows.values_list("content", flat=True).distinct()[:limit])


@transaction.atomic
def _reverse(
    revocation: Revocation, source: moderation.Source, pk: int, now: datetime
) -> list[str]:
    """Overturn what falls at one content; the references of those decisions."""
    moderation.lock_for_revoking(content=pk)
    falling = _falling(pk, source, now)
    for one in falling:
        Reversal.objects.create(
            revocation=revocation,
            decision=one.decision,
            round=revocation.round,
            reversed_at=now,
        )
        overturn(
            one.decision,
            new_cause_ref=revocation.public_id,
            actor=revocation.decided_by,
            now=now,
        )
        if one.is_told:
            tell_reversed(one.decision, now)
        revocation.add(_counted(one))
    return [one.decision.public_id for one in falling]


@transaction.atomic
def _settle(
    revocation: Revocation, source: moderation.Source, pk: int, now: datetime
) -> None:
    content = moderation.lock_for_revoking(content=pk)
    mine = revocation.reversals.filter(decision__flag__content=content)
    found = moderation.settle(
        content=content,
        source=source,
        reversed_refs=list(mine.values_list("decision__public_id", flat=True)),
        cause_ref=revocation.public_id,
        actor=revocation.decided_by,
        now=now,
    )
    revocation.add(_settled(found))


def _falling(pk: int, source: moderation.Source, now: datetime) -> list[Falling]:
    """The decisions to remove this content that do not stand without the source."""
    decisions = Decision.objects.standing().filter(flag__content=pk, removes=True)
    decisions = decisions.exclude(public_id__in=source.fallen)
    left = moderation.backing(content=pk, source=source)
    return [
        Falling(decision, _standing(decision), decision.grants.exists())
        for decision in decisions.select_related("flag__content__account").order_by(
            "pk"
        )
        if not _stands(decision, left, source.fallen, now)
    ]


def _stands(
    decision: Decision, left: list[Match], fallen: Collection[str], now: datetime
) -> bool:
    """Whether anything else raised the question: a person, a model, another source.

    What a machine decided alone needs more: another fingerprint that would have let it, or a person who agreed.
    """
    if not decision.is_automatic:
        return bool(left) or _has_other_ground(decision.flag)
    agreed = Decision.objects.standing().filter(
        flag__sample__decision=decision, removes=True
    )
    if left and agreed.exists():
        return True
    sure = moderation.surely_matched(content=decision.flag.content, now=now)
    return any(
        row in left and cited(row.banked_hash, without=fallen) is not None
        for row in sure
    )


def _has_other_ground(flag: Flag) -> bool:
    if flag.source not in (Flag.Source.HASH_MATCH, Flag.Source.SAMPLE):
        return True
    parts = {part["part"] for part in flag.priority_parts}
    return bool(parts - moderation.MATCH_PARTS)


def _standing(decision: Decision) -> int:
    orders = Enforcement.objects.filter(
        cause_ref=decision.public_id, reversed_by__isnull=True
    )
    return orders.exclude(work_state=Work.WorkState.CANCELLED).count()


def _counted(one: Falling) -> dict[str, int]:
    return {
        "decisions": 1,
        "enforcements": one.enforcements,
        "notices": int(one.is_told),
    }


def _settled(found: moderation.Unsettled) -> dict[str, int]:
    return {
        "flags_closed": len(found.closed),
        "flags_weakened": len(found.weakened),
        "flags_raised": int(found.asks_again),
        "holds": len(found.holds),
    }
