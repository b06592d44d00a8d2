"""Fingerprints come into a bank and leave it. Each change takes its number from one locked row (architecture 2)."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial

from django.db import transaction

from moderation import tasks
from moderation.errors import Refusal
from moderation.hashing import RECIPE
from moderation.matching import row_checksum
from moderation.models import (
    AuditEntry,
    BankChange,
    BankCounter,
    BankedHash,
    Content,
    HashBank,
    HashConfirmation,
    HashException,
    User,
)
from moderation.storage import blind_index, open_value, seal_value

_MODULUS = 2**64


class BankMissing(Refusal):
    """There is no bank of this name, or it is switched off."""

    code = "bank_missing"


@transaction.atomic
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
    """
    home = HashBank.objects.filter(slug=bank, is_enabled=True).first()
    if home is None:
        raise BankMissing(f"There is no bank named {bank}.")
    index = blind_index(value, signal_type)
    AuditEntry.lock()
    row, created = BankedHash.objects.get_or_create(
        source_ref=source_ref,
        signal_type=signal_type,
        value_index=index,
        defaults={
            "bank": home,
            "value_sealed": seal_value(value, "bank"),
            "quality": quality,
            "standing": standing,
            "recipe": RECIPE if signal_type == "pdq" else f"{signal_type}-1",
            "added_at": now,
        },
    )
    if created:
        _number([(row, value)], BankChange.Kind.ADD, now)
        AuditEntry.record(actor=actor, verb="bank.added", target=row, bank=home.slug)
        if signal_type == "pdq":
            transaction.on_commit(partial(tasks.ring, tasks.look_back, row.pk))
    return row


@transaction.atomic
def withdraw_source(
    *, source_refs: Collection[str], actor: User | str, now: datetime
) -> int:
    """Delete every fingerprint of these sources for real; from the next request on nothing matches them.

    :returns: how many there were.
    """
    _locked_counter()
    rows = list(BankedHash.objects.filter(source_ref__in=source_refs))
    live = [row for row in rows if row.standing != BankedHash.Standing.REVOKED]
    _number(
        [(row, open_value(row.value_sealed, "bank")) for row in live],
        BankChange.Kind.WITHDRAW,
        now,
    )
    for row in rows:
        AuditEntry.record(actor=actor, verb="bank.withdrawn", target=row)
    BankedHash.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


@transaction.atomic
def confirm_matches(
    *, content: Content, cause_ref: str, actor: User, now: datetime
) -> int:
    """A reviewer saw the match and found a violation: the fingerprints that matched are confirmed from now on.

    :returns: how many became confirmed by this.
    """
    AuditEntry.lock()
    matched = BankedHash.objects.live().filter(matches__content=content).distinct()
    # Somebody found before that this content is not what these are of.
    matched = matched.exclude(exceptions__content=content)
    count = 0
    for row in matched:
        HashConfirmation.objects.get_or_create(
            banked_hash=row, cause_ref=cause_ref, defaults={"confirmed_at": now}
        )
        if row.standing == BankedHash.Standing.CLAIMED:
            row.stand(BankedHash.Standing.CONFIRMED)
            AuditEntry.record(actor=actor, verb="bank.confirmed", target=row)
            count += 1
    return count


@transaction.atomic
def unconfirm(*, cause_ref: str, actor: User) -> int:
    """The decision that confirmed was overturned: what only it vouched for is a claim again, and holds at most.

    :returns: how many fingerprints fell back.
    """
    AuditEntry.lock()
    vouched = BankedHash.objects.filter(confirmations__cause_ref=cause_ref)
    count = 0
    for row in list(vouched):
        row.confirmations.filter(cause_ref=cause_ref).delete()
        confirmed = row.standing == BankedHash.Standing.CONFIRMED
        if confirmed and not row.confirmations.exists():
            row.stand(BankedHash.Standing.CLAIMED)
            AuditEntry.record(actor=actor, verb="bank.unconfirmed", target=row)
            count += 1
    return count


@transaction.atomic
def except_content(
    *,
    content: Content,
    cause_ref: str,
    actor: User,
    now: datetime,
    same_file_only: bool = False,
) -> int:
    """Except a content, and its identical copies, from the fingerprints that caught it. The fingerprints stay (T-20).

    :param same_file_only: one person's word excepts this very file and no re-saved copy of it; a second person's
        (an appeal) also what is within 4 bits. Otherwise one mistaken answer would silence a fingerprint for all.
    :returns: from how many fingerprints.
    """
    AuditEntry.lock()
    prints = {row.signal_type: row for row in content.fingerprints.all()}
    sha256 = prints.get("sha256")
    pdq = None if same_file_only else prints.get("pdq")
    near = seal_value(open_value(pdq.value_sealed, "history"), "bank") if pdq else None
    caught_by = BankedHash.objects.filter(matches__content=content).distinct()
    for row in caught_by:
        exception, created = HashException.objects.get_or_create(
            banked_hash=row,
            content=content,
            defaults={
                "pdq_sealed": near,
                "sha256_index": sha256.value_index if sha256 else "",
                "reason_ref": cause_ref,
                "created_at": now,
            },
        )
        if near and not created:
            exception.widen(near)
        AuditEntry.record(
            actor=actor, verb="bank.excepted", target=row, content=content.pk
        )
    return len(caught_by)


def _locked_counter() -> BankCounter:
    AuditEntry.lock()
    BankCounter.objects.get_or_create(pk=1)
    return BankCounter.objects.select_for_update().get(pk=1)


def _number(
    rows: Iterable[tuple[BankedHash, bytes]], kind: BankChange.Kind, now: datetime
) -> None:
    """Give each change the next number, and keep count and checksum of what is live, under the counter's lock."""
    counter = _locked_counter()
    number, count, total = (
        counter.number,
        counter.live_count,
        int(counter.checksum, 16),
    )
    sign = 1 if kind == BankChange.Kind.ADD else -1
    changes = []
    for row, value in rows:
        if row.signal_type != "pdq":
            continue  # equal-value signals are looked up by their index, they are not in memory
        number += 1
        count += sign
        total = (total + sign * row_checksum(row.pk, value)) % _MODULUS
        changes.append(
            BankChange(number=number, kind=kind, hash_id=row.pk, changed_at=now)
        )
    BankChange.objects.bulk_create(changes)
    BankCounter.objects.filter(pk=1).update(
        number=number, live_count=count, checksum=f"{total:016x}"
    )
