"""What every installation needs before its first case: the banks and the published policies.

Everything may be called again, after each new version: what exists stays as it is.
"""

from datetime import datetime

from django.db import transaction

from moderation.models import AuditEntry, HashBank
from reviews.services import load_policies

_BANKS = (
    ("cases", HashBank.Kind.CASES),
    ("confirmed", HashBank.Kind.CONFIRMED),
)


@transaction.atomic
def prepare(now: datetime) -> tuple[int, int]:
    """
    :returns: how many banks were made, and how many policies got a new version.
    """
    made = 0
    for slug, kind in _BANKS:
        bank, created = HashBank.objects.get_or_create(
            slug=slug, defaults={"name": kind.label, "kind": kind}
        )
        if created:
            AuditEntry.record(actor="operator", verb="hashbank.added", target=bank)
            made += 1
    return made, load_policies(now)
