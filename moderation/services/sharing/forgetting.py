"""What was withdrawn is kept, sealed, only until its partner has been told, and 30 days at most (T-26)."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from moderation.models import ListClock, ListedHash, ListedSource, ListReading, Platform

# A client of the StopNCII protocol that has not asked for 30 days throws away what it holds.
KEPT = timedelta(days=30)


@transaction.atomic
def purge_listed(*, now: datetime) -> int:
    """Delete the withdrawn lines and sources that their partners have read of, and those that are past their time.

    :returns: how many there were.
    """
    ListClock.lock()
    lines = ListedHash.objects.filter(withdrawn_at__isnull=False)
    read = Q(changed_second__lt=_read("partner"))
    _, by_model = lines.filter(read | Q(withdrawn_at__lte=now - KEPT)).delete()
    # The same of a line that stands because of somebody else.
    sources = ListedSource.objects.filter(withdrawn_second__isnull=False)
    read = Q(withdrawn_second__lt=_read("listed__partner"))
    past = Q(withdrawn_second__lte=int((now - KEPT).timestamp()))
    count, _ = sources.filter(read | past).delete()
    return count + by_model.get(ListedHash._meta.label, 0)


def _read(partner: str) -> Subquery:
    readings = ListReading.objects.filter(partner=OuterRef(partner))
    return Subquery(readings.values("read_second"))


def partners_not_told(*, source_refs: Collection[str]) -> list[Platform]:
    """Who has not yet asked for what changed since these were withdrawn, and may still hold them."""
    withdrawn = ListedSource.objects.filter(
        source_ref__in=source_refs, withdrawn_second__isnull=False
    )
    unread = withdrawn.exclude(withdrawn_second__lt=_read("listed__partner"))
    partners = Platform.objects.filter(pk__in=unread.values("listed__partner"))
    return list(partners.order_by("name"))
