"""Take back what nobody holds any more."""

from django.db import transaction
from django.db.models.functions import Now

from moderation.models import AuditEntry
from reviews.models import Claim


@transaction.atomic
def expire_leases() -> int:
    """End the leases whose time is over, by the database's clock, so that others can take the flags.

    :returns: how many there were.
    """
    count = 0
    rows = Claim.objects.expired(Now()).order_by("pk")
    # All at once, before the record is locked, and without those that somebody gives back or answers at this moment:
    # they wait for the record with the claim in their hands.
    for claim in list(rows.select_for_update(skip_locked=True, of=("self",))):
        over = Claim.objects.expired(Now()).filter(pk=claim.pk)
        if over.update(ended_at=Now(), ended_why=Claim.Ended.EXPIRED):
            AuditEntry.record(actor="system", verb="claim.expired", target=claim)
            count += 1
    return count
