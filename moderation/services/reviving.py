"""What workers had to give up, and a person has looked at: tried again."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from moderation.models import AuditEntry, Content, Enforcement, Notice, Work


def revive(*, now: datetime) -> dict[str, int]:
    """Have dead work tried again, a platform being back or a file put right; how many of each kind.

    Of the orders for one target only the last one: an older one would undo it.
    """
    checks = Content.objects.dead().filter(evidence__destroyed_at__isnull=True)
    return {
        "check": sum(_revived(row, "content.revived", now) for row in checks),
        "enforcement": sum(
            _revived(row, "enforcement.revived", now)
            for row in Enforcement.objects.dead().order_by("pk")
            if not _is_outdated(row)
        ),
        "notice": sum(
            _revived(row, "notice.revived", now)
            for row in Notice.objects.dead().defer("text_sealed")
        ),
    }


def _is_outdated(order: Enforcement) -> bool:
    about_account = Q(action__in=Enforcement.ACCOUNT_ACTIONS)
    if order.is_about_account:
        same = Q(about_account, account=order.account)
    else:
        same = Q(~about_account, content=order.content)
    later = Enforcement.objects.filter(same, pk__gt=order.pk)
    states = [Work.WorkState.CANCELLED, Work.WorkState.HELD_BACK]
    is_reversed = order.reversed_by.exists()
    return is_reversed or later.exclude(work_state__in=states).exists()


@transaction.atomic
def _revived(row: Work, verb: str, now: datetime) -> bool:
    if not row.revive(now):
        return False
    AuditEntry.record(actor="operator", verb=verb, target=row)
    return True
