"""What findings raise: matches that are kept, a question for a person, and a hold while that person looks."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from moderation.models import (
    AuditEntry,
    BankedHash,
    Content,
    Enforcement,
    Evidence,
    Flag,
    Match,
)
from moderation.pipeline.findings import NEAR_BITS, Effect, Finding, strongest


def lock_content(content: Content) -> None:
    """Lock what a worker changes of a content, then the record, in the one order of locks (``AuditEntry.lock``).

    A claim or a decision locks the flag first and the record last; a worker that did it the other way round would
    wait for it for ever, and it for the worker.
    """
    Content.objects.select_for_update(no_key=True).only("pk").get(pk=content.pk)
    for rows in (
        Flag.objects.open().filter(content=content),
        Enforcement.objects.filter(content=content),
        Evidence.objects.filter(content=content),
    ):
        list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    AuditEntry.lock()


def act_on(
    content: Content, findings: list[Finding], cause_ref: str | None, now: datetime
) -> tuple[bool, Enforcement | None]:
    """Keep what was found and do what it may cause: at most hide the content while a person looks. In a transaction.

    :param cause_ref: under which a hold is ordered; the reference of the first match if none is given.
    :returns: whether anything of it is new, and the hold.
    """
    if not record_matches(content, findings, now):
        return False, None
    if strongest(findings) < Effect.HOLD:
        return True, None
    if cause_ref is None:
        first = Match.objects.get(content=content, banked_hash=findings[0].hash)
        cause_ref = first.public_id
    return True, order_hold(content, cause_ref, now)


def record_matches(content: Content, findings: list[Finding], now: datetime) -> bool:
    """Write what was found, and raise or strengthen the flag. Twice equals once.

    :returns: whether anything of it is new. What a decision has removed already raises no new question.
    """
    lock_content(content)
    hashes = [finding.hash.pk for finding in findings]
    # Asked under the lock: a person may have withdrawn one while we compared.
    live = set(
        BankedHash.objects.live().filter(pk__in=hashes).values_list("pk", flat=True)
    )
    findings = [finding for finding in findings if finding.hash.pk in live]
    new = [finding for finding in findings if _kept(content, finding, now)]
    if new and not is_removed(content):
        raise_flag(content, Flag.Source.HASH_MATCH, match_parts(findings), now)
    return bool(new)


def _kept(content: Content, finding: Finding, now: datetime) -> bool:
    _, created = Match.objects.get_or_create(
        content=content,
        banked_hash=finding.hash,
        defaults={
            "bank": finding.hash.bank,
            "source_ref": finding.hash.source_ref,
            "signal_type": finding.hash.signal_type,
            "distance": finding.distance,
            "threshold": finding.threshold,
            "only_review": finding.only_review,
            "found_at": now,
        },
    )
    return created


def is_removed(content: Content) -> bool:
    """A decision to remove stands: it is ordered, whatever the platform has confirmed so far, and not undone."""
    removals = content.enforcements.filter(
        action=Enforcement.Action.REMOVE, reversed_by__isnull=True
    )
    return removals.exclude(work_state=Enforcement.WorkState.CANCELLED).exists()


def match_parts(findings: list[Finding]) -> list[dict[str, object]]:
    """The priority of a question, in the parts that the console explains."""
    sure = [finding for finding in findings if finding.effect >= Effect.HOLD]
    if not sure and any(finding.hash.parked_why for finding in findings):
        # Nothing is hidden, and perhaps it should be: the first in the queue (T-18).
        return [{"part": "parked", "points": 90}]
    if not sure:
        return [{"part": "similar", "points": 45}]
    # The distance of a rougher kind of match is another measure.
    near = min(finding.distance for finding in sure)
    parts: list[dict[str, object]] = [{"part": "match", "points": 60}]
    if near <= NEAR_BITS:
        parts.append({"part": "close", "points": 15})
    if any(f.hash.standing == BankedHash.Standing.CONFIRMED for f in sure):
        parts.append({"part": "confirmed", "points": 15})
    return parts


# A hidden post that nobody has looked at in a day jumps the queue (threat model 6.3); a mere score can wait longer.
_DUE = {
    Flag.Source.HASH_MATCH: timedelta(hours=24),
    Flag.Source.DETECTION: timedelta(hours=72),
}


def raise_flag(
    content: Content, source: Flag.Source, parts: list[dict[str, object]], now: datetime
) -> Flag:
    """Open a question, or add to the one that is open: new evidence raises its version and never its due time.

    Whoever calls has locked the content.
    """
    flag, created = Flag.objects.get_or_create(
        content=content,
        resolved_at=None,
        defaults={
            "source": source,
            "priority": _points(parts),
            "priority_parts": parts,
            "raised_at": now,
            "due_at": now + _DUE[source],
        },
    )
    if created:
        AuditEntry.record(
            actor="worker", verb="flag.raised", target=flag, source=source
        )
        keep = now + timedelta(days=settings.APPEAL_DAYS + 31)
        kept = Evidence.objects.kept().filter(content=content, expires_at__lt=keep)
        kept.update(expires_at=keep)
    else:
        # A part counts once, however many fingerprints say the same.
        merged = {part["part"]: part for part in [*flag.priority_parts, *parts]}
        Flag.objects.filter(pk=flag.pk).update(
            version=F("version") + 1,
            priority=max(flag.priority, _points(list(merged.values()))),
            priority_parts=list(merged.values()),
            due_at=min(flag.due_at, now + _DUE[source]),
        )
    return flag


def _points(parts: list[dict[str, object]]) -> int:
    return min(100, sum(int(str(part["points"])) for part in parts))


_HIDES = (Enforcement.Action.HOLD, Enforcement.Action.REMOVE)
_SHOWS = (Enforcement.Action.RELEASE, Enforcement.Action.RESTORE)


def order_hold(content: Content, cause_ref: str, now: datetime) -> Enforcement | None:
    """Hide the content while a person looks: reversible, and the most that a claimed fingerprint may cause (T-18).

    Whoever calls has locked the content.
    """
    if not content.platform.holds_matches or not _will_be_shown(content):
        return None
    enforcement, created = Enforcement.objects.get_or_create(
        content=content,
        action=Enforcement.Action.HOLD,
        cause_ref=cause_ref,
        defaults={
            "platform": content.platform,
            "account": content.account,
            "ordered_at": now,
            "next_attempt_at": now,
        },
    )
    if created:
        AuditEntry.record(
            actor="worker", verb="enforcement.ordered", target=enforcement
        )
    return enforcement


def _will_be_shown(content: Content) -> bool:
    """What counts is the last order that is not taken back: what the platform confirmed may be hours behind it."""
    states = Enforcement.WorkState
    orders = content.enforcements.filter(action__in=[*_HIDES, *_SHOWS]).exclude(
        work_state__in=[states.CANCELLED, states.DEAD]
    )
    last = orders.order_by("-pk").values_list("action", flat=True).first()
    shown = Content.objects.values_list("visibility", flat=True).get(pk=content.pk)
    if last is None:
        return shown == Content.Visibility.VISIBLE
    return last in _SHOWS and shown != Content.Visibility.DELETED
