"""What must not exist any longer is destroyed, each hour (T-54)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef

from moderation.models import (
    AuditEntry,
    BankWithdrawal,
    Evidence,
    Fingerprint,
    Flag,
    IdempotentCall,
    LookBack,
    Notice,
    ProbeMark,
)
from moderation.models.content import EvidenceQuerySet
from moderation.pipeline.listing import purge_listed
from moderation.storage import destroy

_DAY = timedelta(days=1)


def purge_expired(now: datetime) -> dict[str, int]:
    """Destroy expired evidence, fingerprints of the past, notices and sessions; how many of each."""
    return {
        "evidence": _evidence(now),
        "fingerprint": Fingerprint.objects.filter(expires_at__lte=now).delete()[0],
        "notice": Notice.objects.filter(
            expires_at__lte=now, work_state__in=["DONE", "DEAD", "CANCELLED"]
        ).delete()[0],
        # A copy of the banks that is further behind than this is built again from the rows.
        "withdrawal": BankWithdrawal.objects.filter(
            withdrawn_at__lte=now - timedelta(days=30)
        ).delete()[0],
        "look_back": LookBack.objects.filter(
            done_at__lte=now - timedelta(days=7)
        ).delete()[0],
        "listed": purge_listed(now=now),
        "call": IdempotentCall.objects.filter(called_at__lte=now - _DAY).delete()[0],
        "probe": ProbeMark.objects.filter(asked_at__lte=now - _DAY).delete()[0],
        # Whoever closed the window left theirs behind, and it names a case or a member of staff.
        "session": Session.objects.filter(expire_date__lte=now).delete()[0],
    }


def _evidence(now: datetime) -> int:
    count = 0
    for pk in _unneeded(now).values_list("pk", flat=True).iterator():
        with transaction.atomic():
            # Asked again under the lock: a question or an appeal may have come up since, and needs the picture.
            rows = _unneeded(now).filter(pk=pk).select_for_update(of=("self",))
            evidence = rows.first()
            if evidence is None or _kept_for_appeals(evidence, now):
                continue
            destroy(evidence.name)
            evidence.shred(now)
            AuditEntry.record(
                actor="worker", verb="evidence.destroyed", target=evidence
            )
            count += 1
    return count


def _unneeded(now: datetime) -> EvidenceQuerySet:
    """A picture that a check or an open question still needs is never taken away under it."""
    asked = Flag.objects.open().filter(content=OuterRef("content"))
    rows = Evidence.objects.expired(now).filter(~Exists(asked))
    return rows.exclude(content__work_state__in=["WAITING", "RUNNING"])


def _kept_for_appeals(evidence: Evidence, now: datetime) -> bool:
    """The clock of an appeal starts with the decision, however long the question had waited for it."""
    answered = Flag.objects.filter(
        content=evidence.content_id, resolved_at__isnull=False
    )
    last = answered.order_by("-resolved_at").first()
    if last is None or last.resolved_at is None:
        return False
    until = last.resolved_at + timedelta(days=settings.APPEAL_DAYS + 31)
    if until <= now:
        return False
    evidence.keep(until)
    return True
