"""What beat does for the desk: take back what nobody holds any more."""

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
    for claim in Claim.objects.expired(Now()).order_by("pk"):
        # Asked again in the UPDATE: a sign of life or a decision may have come in between.
        over = Claim.objects.expired(Now()).filter(pk=claim.pk)
        if over.update(ended_at=Now(), ended_why=Claim.Ended.EXPIRED):
            AuditEntry.record(actor="system", verb="claim.expired", target=claim)
            count += 1
    return count
