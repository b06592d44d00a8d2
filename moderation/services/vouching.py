"""What reviewers' decisions say about fingerprints: confirmed, excepted, and copies that are banked in their turn."""

from datetime import datetime

from django.db import transaction

from moderation.models import (
    AuditEntry,
    BankedHash,
    Content,
    Fingerprint,
    HashBank,
    HashConfirmation,
    HashException,
    HashParent,
    User,
)
from moderation.pipeline.listing import on_changed
from moderation.services.banking import HashRefused, NewHash, bank_hashes, check_hash
from moderation.storage import open_value, seal_value


@transaction.atomic
def confirm_matches(
    *, content: Content, cause_ref: str, actor: User, now: datetime
) -> int:
    """A reviewer saw the match and found a violation: the fingerprints that matched are confirmed from now on.

    What only raised a question (a wide distance, a pHash) proves too little to confirm anything.

    :returns: how many became confirmed by this.
    """
    AuditEntry.lock()
    raised = []
    for row in _matched(content):
        HashConfirmation.objects.get_or_create(
            banked_hash=row, cause_ref=cause_ref, defaults={"confirmed_at": now}
        )
        if row.standing == BankedHash.Standing.CLAIMED:
            row.stand(BankedHash.Standing.CONFIRMED)
            AuditEntry.record(actor=actor, verb="bank.confirmed", target=row)
            raised.append(row)
    on_changed(raised, now)
    return len(raised)


def _matched(content: Content) -> list[BankedHash]:
    """The live fingerprints that surely matched, without those that this content was found not to be of."""
    sure = content.matches.filter(only_review=False, banked_hash__isnull=False)
    rows = BankedHash.objects.live().filter(pk__in=sure.values("banked_hash"))
    return list(rows.exclude(exceptions__content=content).defer("value_sealed"))


@transaction.atomic
def unconfirm(*, cause_ref: str, actor: User, now: datetime) -> int:
    """The decision that confirmed was overturned: what only it vouched for is a claim again, and holds at most.

    :returns: how many fingerprints fell back.
    """
    AuditEntry.lock()
    vouched = BankedHash.objects.filter(confirmations__cause_ref=cause_ref)
    vouched = vouched.defer("value_sealed")
    fallen = []
    for row in list(vouched):
        row.confirmations.filter(cause_ref=cause_ref).delete()
        confirmed = row.standing == BankedHash.Standing.CONFIRMED
        if confirmed and not row.confirmations.exists():
            row.stand(BankedHash.Standing.CLAIMED)
            AuditEntry.record(actor=actor, verb="bank.unconfirmed", target=row)
            fallen.append(row)
    on_changed(fallen, now)
    return len(fallen)


@transaction.atomic
def bank_copy(*, content: Content, cause_ref: str, actor: User, now: datetime) -> int:
    """Bank every fingerprint of a decided content, so that each copy found makes the next edit easier to find.

    They stand as long as the decision does, and no longer than the last fingerprint by which the content was found:
    who withdraws theirs withdraws what it led to.

    :returns: how many there are.
    """
    home, _ = HashBank.objects.get_or_create(
        slug="confirmed",
        defaults={
            "name": HashBank.Kind.CONFIRMED.label,
            "kind": HashBank.Kind.CONFIRMED,
        },
    )
    parents = _matched(content)
    prints = content.fingerprints.order_by("pk")
    copies = [_copied(row, cause_ref, bool(parents)) for row in prints]
    hashes = [copy for copy in copies if _is_bankable(copy)]
    rows = bank_hashes(bank=home, hashes=hashes, actor=actor, now=now)
    for row in {row.pk: row for row in rows}.values():
        HashConfirmation.objects.get_or_create(
            banked_hash=row, cause_ref=cause_ref, defaults={"confirmed_at": now}
        )
        for parent in parents:
            HashParent.objects.get_or_create(child=row, parent=parent)
    return len(rows)


def _copied(row: Fingerprint, cause_ref: str, is_derived: bool) -> NewHash:
    return NewHash(
        row.signal_type,
        open_value(row.value_sealed, "history"),
        row.quality,
        cause_ref,
        BankedHash.Standing.CONFIRMED,
        row.recipe,
        is_derived=is_derived,
    )


def _is_bankable(new: NewHash) -> bool:
    """One print of a picture may say too little to be banked; that must not stand in the way of a decision."""
    try:
        check_hash(new.signal_type, new.value, new.quality)
    except HashRefused:
        return False
    return True


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
    prints = {row.signal_type: row for row in content.fingerprints.order_by("-recipe")}
    sha256 = prints.get("sha256")
    pdq = None if same_file_only else prints.get("pdq")
    near = seal_value(open_value(pdq.value_sealed, "history"), "bank") if pdq else None
    caught_by = BankedHash.objects.filter(matches__content=content).distinct()
    caught_by = caught_by.defer("value_sealed")
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
