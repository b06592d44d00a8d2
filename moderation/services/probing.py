"""Who asks for twenty variants of what one fingerprint matches is not screening uploads: an alarm for people (T-12)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Count

from moderation.models import ApiKey, AuditEntry, ProbeAlarm, ProbeMark
from moderation.storage import blind_index

_log = structlog.get_logger(__name__)
PROBES = 20
WINDOW = timedelta(hours=24)


def watch_matches(
    *, key: ApiKey, matched: Iterable[tuple[bytes, str]], now: datetime
) -> bool:
    """Count different questions that the same fingerprint matched: they lie within 62 bits of each other.

    Called only for what matched, so that an ``allow`` costs nothing here. No value is kept, only a keyed mark.

    :param matched: (what was asked, ``public_id`` of a fingerprint that it matched).
    :returns: whether this raised the alarm.
    """
    marks = [
        ProbeMark(key=key, fingerprint=name, mark=_mark(key, name, what), asked_at=now)
        for what, name in matched
    ]
    if not marks:
        return False
    ProbeMark.objects.bulk_create(marks, ignore_conflicts=True)
    recent = ProbeMark.objects.filter(key=key, asked_at__gt=now - WINDOW)
    asked = recent.filter(fingerprint__in={mark.fingerprint for mark in marks})
    counts = asked.order_by().values("fingerprint").annotate(count=Count("pk"))
    if not any(row["count"] >= PROBES for row in counts):
        return False
    return _raised(key, now)


def _mark(key: ApiKey, fingerprint: str, asked: bytes) -> str:
    return blind_index(f"{key.pk}/{fingerprint}/".encode() + asked, "probe")[:32]


@transaction.atomic
def _raised(key: ApiKey, now: datetime) -> bool:
    """Once a day for each key, however many processes see it at once."""
    AuditEntry.lock()
    alarm, new = ProbeAlarm.objects.get_or_create(key=key, defaults={"raised_at": now})
    if not new and alarm.raised_at > now - WINDOW:
        return False
    ProbeAlarm.objects.filter(pk=key.pk).update(raised_at=now)
    AuditEntry.record(
        actor=f"platform:{key.platform_id}", verb="probe.seen", target=key
    )
    _log.error("probe_alarm", platform=key.platform_id)
    return True
