"""What must not exist any longer is destroyed, each hour (T-54)."""

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import transaction

from moderation.models import AuditEntry, Evidence, Fingerprint, Notice
from moderation.storage import destroy


def purge_expired(now: datetime) -> dict[str, int]:
    """Destroy expired evidence, fingerprints of the past, notices and sessions; how many of each."""
    return {
        "evidence": _evidence(now),
        "fingerprint": Fingerprint.objects.filter(expires_at__lte=now).delete()[0],
        "notice": Notice.objects.filter(
            expires_at__lte=now, work_state__in=["DONE", "DEAD", "CANCELLED"]
        ).delete()[0],
        # Whoever closed the window left theirs behind, and it names a case or a member of staff.
        "session": Session.objects.filter(expire_date__lte=now).delete()[0],
    }


def _evidence(now: datetime) -> int:
    # A picture that a check or an open question still needs is never taken away under it.
    rows = Evidence.objects.expired(now).exclude(
        content__flags__resolved_at=None, content__flags__isnull=False
    )
    rows = rows.exclude(content__work_state__in=["WAITING", "RUNNING"])
    count = 0
    for evidence in rows.iterator():
        destroy(evidence.name)
        with transaction.atomic():
            evidence.shred(now)
            AuditEntry.record(
                actor="worker", verb="evidence.destroyed", target=evidence
            )
        count += 1
    return count
