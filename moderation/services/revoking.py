"""What one source of fingerprints caused on this floor, and its undoing (playbook 6): what another one backs stays.

Nothing here changes a decision; whoever revokes undoes those first (``reviews``), and says which references fell with
them. A match that was found by a source which has been withdrawn since still counts: a withdrawal takes back no answer.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from moderation import tasks
from moderation.errors import Refusal
from moderation.models import (
    BankedHash,
    Content,
    Enforcement,
    Flag,
    HashBank,
    HashException,
    Match,
    Share,
    User,
    Work,
)
from moderation.models.banks import BankedHashQuerySet
from moderation.models.enforcement import EnforcementQuerySet
from moderation.pipeline import withdrawing
from moderation.pipeline.findings import Effect, Finding, strongest
from moderation.pipeline.raising import (
    lock_content,
    match_parts,
    order_hold,
    raise_flag,
)
from moderation.services.enforcement import reverse_enforcements

MATCH_PARTS = frozenset({"match", "close", "confirmed", "similar", "parked"})


class NothingToRevoke(Refusal):
    """No fingerprint of this source is or was here."""

    code = "nothing_to_revoke"


@dataclass(frozen=True, slots=True)
class Source:
    """One source by its opaque reference, or everything in a bank; ``fallen`` are the decisions that fell with it."""

    ref: str = ""
    bank: HashBank | None = None
    fallen: set[str] = field(default_factory=set)

    def hashes(self) -> BankedHashQuerySet:
        if self.bank is not None:
            return BankedHash.objects.filter(bank=self.bank)
        return BankedHash.objects.filter(source_ref=self.ref)

    def matches(self) -> QuerySet[Match]:
        if self.bank is not None:
            return Match.objects.filter(bank=self.bank)
        return Match.objects.filter(source_ref=self.ref)

    def touched(self) -> QuerySet[Match]:
        """Its matches, and those of the copies that decisions banked which fell with it."""
        return self.matches() | Match.objects.filter(source_ref__in=self.fallen)

    def shares(self) -> QuerySet[Share]:
        refs = self.hashes().values("source_ref")
        return Share.objects.filter(source_ref__in=refs)


def find_source(*, ref: str = "", bank: str = "") -> Source:
    """
    :raises NothingToRevoke: if there is no trace of it.
    """
    if bank:
        home = HashBank.objects.filter(slug=bank).first()
        if home is None:
            raise NothingToRevoke(f"There is no bank named {bank}.")
        return Source(bank=home)
    source = Source(ref=ref)
    if not source.hashes().exists() and not source.matches().exists():
        raise NothingToRevoke("There is no fingerprint of this source.")
    return source


@transaction.atomic
def revoke_hashes(*, source: Source, limit: int, now: datetime) -> int:
    """Take the next of its fingerprints out of every match; they stay, revoked. How many there were."""
    live = source.hashes().live().order_by("pk").values_list("pk", flat=True)
    keys = list(live[:limit])
    return withdrawing.revoke(BankedHash.objects.filter(pk__in=keys), now)


@transaction.atomic
def cut_copies(*, source: Source, limit: int) -> int:
    """Copies that decisions banked which still stand no longer hang on what was revoked. How many were looked at."""
    hung = BankedHash.objects.filter(
        parents__parent__in=source.hashes(),
        parents__parent__standing=BankedHash.Standing.REVOKED,
    )
    keys = list(hung.order_by("pk").distinct().values_list("pk", flat=True)[:limit])
    withdrawing.cut_from(BankedHash.objects.filter(pk__in=keys))
    return len(keys)


def lock_for_revoking(*, content: int) -> Content:
    """The content, its open questions, its orders and the record, locked in the one order of locks."""
    found = Content.objects.select_related("platform", "account").get(pk=content)
    lock_content(found)
    return found


def backing(*, content: int, source: Source) -> list[Match]:
    """The matches of a content that are left without this source, and that nobody found wrong for it."""
    doubted = HashException.objects.filter(
        banked_hash=OuterRef("banked_hash"), content=OuterRef("content")
    )
    rows = Match.objects.filter(~Exists(doubted), content=content)
    rows = rows.exclude(pk__in=source.matches().filter(content=content).values("pk"))
    rows = rows.exclude(banked_hash__standing=BankedHash.Standing.REVOKED)
    found = rows.select_related("banked_hash__bank").order_by("distance", "pk")
    rest = found.defer("banked_hash__value_sealed")
    return [row for row in rest if row.source_ref not in source.fallen]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What hangs on a source at one content: questions and holds that do not stand without it."""

    closed: tuple[Flag, ...] = ()
    weakened: tuple[Flag, ...] = ()
    holds: tuple[Enforcement, ...] = ()
    asks_again: bool = False


def unsettled(
    *, content: Content, source: Source, reversed_refs: Collection[str]
) -> Unsettled:
    """What ``settle`` will do; nothing is changed.

    :param reversed_refs: the decisions about this content that fall with the source.
    """
    left = backing(content=content.pk, source=source)
    flags = list(Flag.objects.open().filter(content=content))
    closed = [flag for flag in flags if _falls(flag, left, reversed_refs)]
    weakened = [flag for flag in flags if flag not in closed and _loses(flag, left)]
    holds = [] if _hides(left) else list(_holds(content, reversed_refs))
    # What a machine removed alone is a question again where others found it too, as it would have been anyway.
    asks = bool(left and reversed_refs) and closed == flags
    return Unsettled(tuple(closed), tuple(weakened), tuple(holds), asks)


@transaction.atomic
def settle(
    *,
    content: Content,
    source: Source,
    reversed_refs: Collection[str],
    cause_ref: str,
    actor: User,
    now: datetime,
) -> Unsettled:
    """Close or weaken the questions and end the holds that do not stand without this source. Twice equals once.

    Whoever calls has locked the content (``lock_for_revoking``), and undone the decisions.
    """
    found = unsettled(content=content, source=source, reversed_refs=reversed_refs)
    left = backing(content=content.pk, source=source)
    for flag in found.closed:
        flag.resolve(now)
    for flag in found.weakened:
        _weaken(flag, left)
    for hold in found.holds:
        reverse_enforcements(
            cause_ref=hold.cause_ref, new_cause_ref=cause_ref, actor=actor, now=now
        )
    if found.asks_again:
        _ask_again(content, left, cause_ref, now)
    return found


def _ask_again(
    content: Content, left: list[Match], cause_ref: str, now: datetime
) -> None:
    raise_flag(content, Flag.Source.HASH_MATCH, _match_parts(left), now)
    hold = order_hold(content, cause_ref, now) if _hides(left) else None
    if hold is not None:
        transaction.on_commit(partial(tasks.ring, tasks.enforce, hold.pk))


def _falls(flag: Flag, left: list[Match], reversed_refs: Collection[str]) -> bool:
    if flag.source == Flag.Source.SAMPLE:
        return bool(reversed_refs)
    return flag.source == Flag.Source.HASH_MATCH and not left and not _other_parts(flag)


def _other_parts(flag: Flag) -> list[dict[str, object]]:
    return [part for part in flag.priority_parts if part["part"] not in MATCH_PARTS]


def _loses(flag: Flag, left: list[Match]) -> bool:
    """Whether a part of its priority came from the source alone."""
    if flag.source == Flag.Source.SAMPLE:
        return False
    said = {part["part"] for part in flag.priority_parts} & MATCH_PARTS
    return bool(said - {part["part"] for part in _match_parts(left)})


def _match_parts(left: list[Match]) -> list[dict[str, object]]:
    """A fingerprint that was withdrawn since says no more about how strong it was than that it matched."""
    findings = _findings(left)
    if findings or not left:
        return match_parts(findings) if findings else []
    return [{"part": "match", "points": 60}]


def _weaken(flag: Flag, left: list[Match]) -> None:
    flag.priority_parts = [*_other_parts(flag), *_match_parts(left)]
    flag.priority = min(100, sum(int(str(p["points"])) for p in flag.priority_parts))
    if not left and flag.source == Flag.Source.HASH_MATCH:
        flag.source = Flag.Source.DETECTION
    flag.version += 1
    flag.save(update_fields=["priority_parts", "priority", "source", "version"])


def _findings(matches: list[Match]) -> list[Finding]:
    return [
        Finding(row.banked_hash, row.distance, row.threshold, row.only_review)
        for row in matches
        if row.banked_hash is not None
    ]


def _hides(left: list[Match]) -> bool:
    withdrawn = any(row.banked_hash is None and not row.only_review for row in left)
    return withdrawn or strongest(_findings(left)) >= Effect.HOLD


def _holds(content: Content, reversed_refs: Collection[str]) -> EnforcementQuerySet:
    """Holds that stand, unless a removal hides the content anyway, or it could not be compared yet."""
    none = Enforcement.objects.none()
    if not content.is_checked:
        return none
    standing = content.enforcements.filter(reversed_by__isnull=True).exclude(
        work_state=Work.WorkState.CANCELLED
    )
    removals = standing.filter(action=Enforcement.Action.REMOVE)
    if removals.exclude(cause_ref__in=reversed_refs).exists():
        return none
    return standing.filter(action=Enforcement.Action.HOLD).order_by("pk")
