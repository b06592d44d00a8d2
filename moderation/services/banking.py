"""Fingerprints come into a bank and leave it. Each change takes its number from one locked row (architecture 2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import transaction

from moderation import tasks
from moderation.errors import Refusal
from moderation.models import (
    AuditEntry,
    BankCounter,
    BankedHash,
    HashBank,
    User,
)
from moderation.models.banks import BankedHashQuerySet
from moderation.pipeline import SPACES, locked_counter, marks, take_out
from moderation.pipeline.accepting import RECIPES
from moderation.pipeline.accepting import HashRefused as HashRefused
from moderation.pipeline.accepting import check_hash as check_hash
from moderation.pipeline.listing import on_changed
from moderation.pipeline.taking_in import parked
from moderation.storage import blind_index, seal_value

MAX_AT_ONCE = 1000


class BankMissing(Refusal):
    """There is no bank of this name, or it is switched off."""

    code = "bank_missing"


class TooMany(Refusal):
    """More fingerprints than one transaction may hold up the others for."""

    code = "too_many"
    status = 413  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class NewHash:
    """A fingerprint to bank. ``value``: 32 bytes of PDQ or SHA-256, 16 of MD5, 8 of pHash, 32 for each video frame."""

    signal_type: str
    value: bytes = field(repr=False)
    quality: int | None
    source_ref: str
    standing: BankedHash.Standing = BankedHash.Standing.CLAIMED
    recipe: str = ""
    is_derived: bool = False


def bank_hash(
    *,
    bank: str,
    signal_type: str,
    value: bytes,
    quality: int | None,
    source_ref: str,
    actor: User | str,
    now: datetime,
    standing: BankedHash.Standing = BankedHash.Standing.CLAIMED,
) -> BankedHash:
    """Bank one fingerprint. It is matched by the next request of any process, and the past is searched for it.

    The same fingerprint from the same source again gives the same row.

    :raises BankMissing: if there is no such bank.
    :raises HashRefused: see ``check_hash``.
    """
    home = HashBank.objects.filter(slug=bank, is_enabled=True).first()
    if home is None:
        raise BankMissing(f"There is no bank named {bank}.")
    new = NewHash(signal_type, value, quality, source_ref, standing)
    return bank_hashes(bank=home, hashes=[new], actor=actor, now=now)[0]


def bank_hashes(
    *, bank: HashBank, hashes: Sequence[NewHash], actor: User | str, now: datetime
) -> list[BankedHash]:
    """Bank up to 1,000 fingerprints in one short transaction; a row for each, in their order.

    What costs time (sealing, blind indexes) is done before the lock that everybody waits for.

    :raises HashRefused: see ``check_hash``; then nothing is banked.
    :raises TooMany: for more than 1,000.
    """
    if len(hashes) > MAX_AT_ONCE:
        raise TooMany(f"Send at most {MAX_AT_ONCE} at once.")
    for new in hashes:
        check_hash(new.signal_type, new.value, new.quality)
    drafts = [
        _draft(bank, new, why, now)
        for new, why in zip(hashes, parked(hashes), strict=True)
    ]
    with transaction.atomic():
        return _banked(bank, drafts, hashes, actor, now)


def _draft(bank: HashBank, new: NewHash, parked_why: str, now: datetime) -> BankedHash:
    return BankedHash(
        bank=bank,
        signal_type=new.signal_type,
        value_sealed=seal_value(new.value, "bank"),
        value_index=blind_index(new.value, new.signal_type),
        quality=new.quality,
        source_ref=new.source_ref,
        standing=new.standing,
        recipe=new.recipe or RECIPES[new.signal_type],
        is_derived=new.is_derived,
        parked_why=parked_why,
        added_at=now,
    )


_Key = tuple[str, str, str]


def _key(row: BankedHash) -> _Key:
    return row.source_ref, row.signal_type, row.value_index


def _banked(
    bank: HashBank,
    drafts: list[BankedHash],
    hashes: Sequence[NewHash],
    actor: User | str,
    now: datetime,
) -> list[BankedHash]:
    counter = locked_counter()
    indexes = [row.value_index for row in drafts]
    sources = {row.source_ref for row in drafts}
    found = BankedHash.objects.filter(value_index__in=indexes, source_ref__in=sources)
    known = {_key(row): row for row in found.defer("value_sealed")}
    fresh: dict[_Key, tuple[BankedHash, bytes]] = {}
    for row, new in zip(drafts, hashes, strict=True):
        if _key(row) not in known:
            fresh.setdefault(_key(row), (row, new.value))
    if fresh:
        _numbered(counter, list(fresh.values()))
        rows = [row for row, _ in fresh.values()]
        BankedHash.objects.bulk_create(rows)
        if bank.kind == HashBank.Kind.CASES:
            on_changed(rows, now)
        known |= {_key(row): row for row in rows}
        _noted(bank, rows, actor)
        transaction.on_commit(partial(tasks.ring, tasks.search_past, rows[0].pk))
    return [known[_key(row)] for row in drafts]


def _noted(bank: HashBank, rows: list[BankedHash], actor: User | str) -> None:
    """One entry for each row of a person, one for a whole batch of a partner."""
    if len(rows) <= 20:
        for row in rows:
            AuditEntry.record(
                actor=actor, verb="bank.added", target=row, bank=bank.slug
            )
        return
    AuditEntry.record(
        actor=actor,
        verb="bank.batch_added",
        target=bank,
        count=len(rows),
        first=rows[0].pk,
        last=rows[-1].pk,
    )


def withdraw_source(
    *, source_refs: Collection[str], actor: User | str, now: datetime
) -> int:
    """Delete every fingerprint of these sources for real; from the next request on nothing matches them.

    What was banked because its picture matched them, and nothing else, goes with them.

    :returns: how many there were.
    """
    rows = BankedHash.objects.filter(source_ref__in=source_refs)
    return _withdrawn(rows, actor, now)


def withdraw_hashes(
    *, hashes: Collection[int], actor: User | str, now: datetime
) -> int:
    """Delete these fingerprints (primary keys) for real, as ``withdraw_source`` does."""
    return _withdrawn(BankedHash.objects.filter(pk__in=hashes), actor, now)


@transaction.atomic
def _withdrawn(rows: BankedHashQuerySet, actor: User | str, now: datetime) -> int:
    count = take_out(rows, actor, now)
    if count:
        # What rested on these alone matches nothing any more; a worker deletes it, as this face may not.
        transaction.on_commit(partial(tasks.ring, tasks.withdraw_orphans, 0))
    return count


def _numbered(counter: BankCounter, rows: list[tuple[BankedHash, bytes]]) -> None:
    """Give each new row the next number, and keep count and checksum of what is live, under the counter's lock."""
    total = int(counter.checksum, 16)
    in_memory = [(row, value) for row, value in rows if row.signal_type in SPACES]
    for row, _ in in_memory:
        counter.number += 1
        row.number = counter.number
    asked = [(row.signal_type, row.number or 0, value) for row, value in in_memory]
    for (row, _), (mark, count) in zip(in_memory, marks(asked), strict=True):
        row.mark, row.entry_count = f"{mark:016x}", count
        counter.live_count += count
        total += mark
    counter.keep(total)
