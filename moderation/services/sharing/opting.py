"""A person opts in, for each source and each partner (T-25), and may take that back."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from moderation.errors import Refusal
from moderation.models import (
    AuditEntry,
    BankedHash,
    HashBank,
    ListedHash,
    ListedSource,
    Platform,
    Share,
    User,
)
from moderation.pipeline.listing import LineKey, on_changed, read_by, relist


class NotOursToShare(Refusal):
    """Somebody else gave these to this house; who made them decides whom they are given to."""

    code = "not_ours_to_share"


class NotShared(Refusal):
    """There is no such leave to take back."""

    code = "not_shared"


@transaction.atomic
def share_source(
    *, source_ref: str, partner: Platform, actor: User | str, now: datetime
) -> Share:
    """Give this source's fingerprints to a partner: those that are there and those that will come.

    A source may be shared before it has fingerprints; then nothing sealed has to be read to list them.

    :raises NotOursToShare: if it is not what a person submitted.
    """
    AuditEntry.lock()
    rows = BankedHash.objects.filter(source_ref=source_ref)
    if rows.exclude(bank__kind=HashBank.Kind.CASES).exists():
        raise NotOursToShare("Only what a person submitted here can be shared.")
    share, created = Share.objects.get_or_create(
        source_ref=source_ref, partner=partner, defaults={"shared_at": now}
    )
    if created:
        AuditEntry.record(
            actor=actor, verb="share.given", target=share, partner=partner.alias
        )
        on_changed(list(rows.defer("value_sealed")), now)
    return share


@transaction.atomic
def unshare_source(
    *, source_ref: str, partner: Platform, actor: User | str, now: datetime
) -> None:
    """Take the leave back: the partner is told that what only this source vouched for is withdrawn.

    :raises NotShared: if there is none.
    """
    AuditEntry.lock()
    share = Share.objects.filter(source_ref=source_ref, partner=partner).first()
    if share is None:
        raise NotShared("This source is not shared with this partner.")
    AuditEntry.record(
        actor=actor, verb="share.taken_back", target=share, partner=partner.alias
    )
    share.delete()
    lines = ListedHash.objects.filter(partner=partner, sources__source_ref=source_ref)
    keys = {
        LineKey(partner.pk, *one) for one in lines.values_list(*LineKey._fields[1:])
    }
    if keys:
        relist(keys, now)


def partners_not_told(*, source_refs: Collection[str]) -> list[Platform]:
    """Who has not yet asked for what changed since these were withdrawn, and may still hold them."""
    withdrawn = ListedSource.objects.filter(
        source_ref__in=source_refs, withdrawn_second__isnull=False
    )
    unread = withdrawn.exclude(withdrawn_second__lt=read_by("listed__partner"))
    partners = Platform.objects.filter(pk__in=unread.values("listed__partner"))
    return list(partners.order_by("name"))
