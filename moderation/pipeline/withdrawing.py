"""Fingerprints leave the banks: for real, at once, and without anybody having to read their values."""

from datetime import datetime

from django.db import transaction

from moderation.models import (
    AuditEntry,
    BankCounter,
    BankedHash,
    BankWithdrawal,
    HashBank,
    HashParent,
    User,
)
from moderation.models.banks import BankedHashQuerySet
from moderation.pipeline.listing import on_withdrawn

_AT_ONCE = 1000
_FEW = 20


def locked_counter() -> BankCounter:
    """The row whose lock puts all changes of the banks in the order of their numbers; taken after the record's."""
    AuditEntry.lock()
    BankCounter.objects.get_or_create(pk=1)
    return BankCounter.objects.select_for_update().get(pk=1)


@transaction.atomic
def take_out(rows: BankedHashQuerySet, actor: User | str, now: datetime) -> int:
    """Delete these, and what was banked because of nothing else; from the next request on nothing matches them.

    :returns: how many there were.
    """
    counter = locked_counter()
    # A face may withdraw what it may not read.
    found = list(rows.defer("value_sealed"))
    if not found:
        return 0
    keys = [row.pk for row in found]
    children = _orphans_of(keys)
    live = [row for row in found if row.standing != BankedHash.Standing.REVOKED]
    _numbered(counter, live, now)
    _noted(found, actor)
    BankedHash.objects.filter(pk__in=keys).only("pk").delete()
    on_withdrawn(found, now)
    if not children:
        return len(found)
    return len(found) + take_out(BankedHash.objects.filter(pk__in=children), actor, now)


def _noted(rows: list[BankedHash], actor: User | str) -> None:
    """One entry for each row, or one for all when a bank loses many at once: theirs took six sevenths of the time."""
    banks: dict[int, list[BankedHash]] = {}
    for row in rows:
        banks.setdefault(row.bank_id, []).append(row)
    for bank_id, gone in banks.items():
        if len(gone) <= _FEW:
            for row in gone:
                AuditEntry.record(actor=actor, verb="bank.withdrawn", target=row)
            continue
        AuditEntry.record(
            actor=actor,
            verb="bank.batch_withdrawn",
            target=HashBank.objects.get(pk=bank_id),
            count=len(gone),
            first=min(row.pk for row in gone),
            last=max(row.pk for row in gone),
        )


def _orphans_of(keys: list[int]) -> list[int]:
    """The children of these rows that have no other parent."""
    fed = HashParent.objects.exclude(parent__in=keys).values("child")
    rows = BankedHash.objects.filter(parents__parent__in=keys).exclude(pk__in=keys)
    return list(rows.exclude(pk__in=fed).distinct().values_list("pk", flat=True))


def _numbered(counter: BankCounter, rows: list[BankedHash], now: datetime) -> None:
    total = int(counter.checksum, 16)
    gone = []
    for row in rows:
        if row.number is None:
            continue  # equal-value signals are looked up by their index, they are not in memory
        counter.number += 1
        counter.live_count -= row.entry_count
        total -= int(row.mark, 16)
        gone.append(
            BankWithdrawal(
                number=counter.number,
                hash_number=row.number,
                entry_count=row.entry_count,
                withdrawn_at=now,
            )
        )
    BankWithdrawal.objects.bulk_create(gone)
    counter.keep(total)


def withdraw_orphans(now: datetime) -> int:
    """Delete what a face that may not see it left behind without its cause."""
    count = 0
    while keys := list(
        BankedHash.objects.orphans()
        .order_by("pk")
        .values_list("pk", flat=True)[:_AT_ONCE]
    ):
        count += take_out(BankedHash.objects.filter(pk__in=keys), "worker", now)
    return count


@transaction.atomic
def revoke(rows: BankedHashQuerySet, now: datetime) -> int:
    """From the next request on nothing matches these. They stay, so that the same source cannot bring them back.

    What was banked because of them stays for now: whoever revokes looks at each decision behind it.

    :returns: how many there were.
    """
    counter = locked_counter()
    found = list(rows.live().defer("value_sealed"))
    _numbered(counter, found, now)
    keys = [row.pk for row in found]
    BankedHash.objects.filter(pk__in=keys).update(standing=BankedHash.Standing.REVOKED)
    on_withdrawn(found, now)
    return len(found)


@transaction.atomic
def cut_from(rows: BankedHashQuerySet) -> int:
    """These copies no longer stand because of what was revoked; those that stand by themselves stay so.

    :returns: how many stand by themselves now.
    """
    locked_counter()
    keys = list(rows.values_list("pk", flat=True))
    links = HashParent.objects.filter(
        child__in=keys, parent__standing=BankedHash.Standing.REVOKED
    )
    links.delete()
    alone = BankedHash.objects.filter(pk__in=keys).orphans()
    return alone.update(is_derived=False)
