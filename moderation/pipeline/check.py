"""The check that every content goes through: decode, fingerprint, match, detect, and raise a flag or nothing."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from moderation import detection
from moderation.media import MediaRefused
from moderation.models import (
    AuditEntry,
    Content,
    Detection,
    Enforcement,
    Fingerprint,
    Flag,
)
from moderation.pipeline.findings import find, without_excepted
from moderation.pipeline.index import BankUntrusted
from moderation.pipeline.printing import Printed, printed
from moderation.pipeline.raising import (
    act_on,
    is_removed,
    lock_content,
    order_hold,
    raise_flag,
)
from moderation.storage import EvidenceGone, blind_index, open_file, seal_value

_log = structlog.get_logger(__name__)

# A decoder that crashed or ran out of something may have had a bad moment; three bad moments are the file's fault.
_DECODER_TROUBLE = {"crashed", "too_slow", "out_of_memory"}
_DECODER_TRIES = 3
_SCORE_POINTS = 40


def check(content: Content, now: datetime) -> list[Enforcement]:
    """Carry one content through the check, whatever happened to earlier tries.

    :returns: the enforcements that were ordered, for the caller to ring for.
    """
    if not content.start(now):
        return []
    try:
        return _checked(content, now)
    except EvidenceGone:
        content.give_up(now, "evidence_gone")
    except MediaRefused as refusal:
        return _refuse(content, refusal.code, now)
    except BankUntrusted:
        # Fail closed: what could not be compared stays hidden until it can be.
        content.retry(now, "bank_untrusted")
        return _hold_unchecked(content, now)
    except detection.ModelUnavailable as missing:
        content.retry(now, missing.code)
        _log.error("model_unavailable", content=content.pk, code=missing.code)
    except Exception:
        content.retry(now, "unexpected")
        raise
    return []


def _checked(content: Content, now: datetime) -> list[Enforcement]:
    prints = printed(open_file(content.evidence.sealed))
    _keep(content, prints, now)
    # Matches are written before the models run: a missing model must not delay a match.
    ordered = _matched(content, prints, now)
    seen = [one for picture in prints.pictures for one in detection.score(picture)]
    with transaction.atomic():
        # First, because it locks the content. If another worker has taken over, the rest is theirs.
        if content.finish(now):
            _detected(content, _highest(seen), now)
            ordered += _released(content, now)
    return ordered


def _keep(content: Content, prints: Printed, now: datetime) -> None:
    until = now + timedelta(days=settings.HISTORY_DAYS)
    rows = [
        Fingerprint(
            content=content,
            signal_type=one.signal_type,
            value_sealed=seal_value(one.value, "history"),
            value_index=blind_index(one.value, one.signal_type),
            quality=one.quality,
            recipe=one.recipe,
            expires_at=until,
        )
        for one in prints.kept
    ]
    Fingerprint.objects.bulk_create(rows, ignore_conflicts=True)


def _matched(content: Content, prints: Printed, now: datetime) -> list[Enforcement]:
    found = find(prints.query, questions=True)
    findings = without_excepted(found, prints.query)
    if not findings:
        return []
    with transaction.atomic():
        _, hold = act_on(content, findings, content.public_id, now)
    return [hold] if hold else []


def _highest(seen: list[detection.Detected]) -> list[detection.Detected]:
    """Of several frames of a video the highest score of each label."""
    highest: dict[tuple[str, str, str], detection.Detected] = {}
    for one in seen:
        key = one.model, one.version, one.label
        if key not in highest or one.score > highest[key].score:
            highest[key] = one
    return list(highest.values())


def _detected(content: Content, seen: list[detection.Detected], now: datetime) -> None:
    rows = [
        Detection(
            content=content,
            model=one.model,
            version=one.version,
            label=one.label,
            score=min(1.0, max(0.0, one.score)),
            detected_at=now,
        )
        for one in seen
    ]
    Detection.objects.bulk_create(rows, ignore_conflicts=True)
    highest = max((row.score for row in rows if row.label == "nsfw"), default=0.0)
    if highest < content.platform.flag_threshold:
        return
    already = content.flags.filter(source=Flag.Source.DETECTION).exists()
    if not already:
        lock_content(content)
        part = {"part": "near_nude", "points": round(highest * _SCORE_POINTS)}
        raise_flag(content, Flag.Source.DETECTION, [part], now)


def _refuse(content: Content, code: str, now: datetime) -> list[Enforcement]:
    if code in _DECODER_TROUBLE and content.attempt_count < _DECODER_TRIES:
        content.retry(now, code)
        return []
    with transaction.atomic():
        content.refuse(code)
        content.finish(now)
        AuditEntry.record(
            actor="worker", verb="content.refused", target=content, code=code
        )
        return _released(content, now)


def _hold_unchecked(content: Content, now: datetime) -> list[Enforcement]:
    with transaction.atomic():
        lock_content(content)
        hold = order_hold(content, content.public_id, now)
    return [hold] if hold else []


def _released(content: Content, now: datetime) -> list[Enforcement]:
    """Show again what was hidden only because it could not be compared, and was now found to raise no question."""
    holds = content.enforcements.filter(
        action=Enforcement.Action.HOLD,
        cause_ref=content.public_id,
        reversed_by__isnull=True,
    ).exclude(work_state=Enforcement.WorkState.CANCELLED)
    if not holds.exists():
        return []
    lock_content(content)
    hold = holds.first()
    if hold is None or content.flags.open().exists() or is_removed(content):
        return []
    release = Enforcement.objects.create(
        content=content,
        platform=content.platform,
        account=content.account,
        action=Enforcement.Action.RELEASE,
        cause_ref=content.public_id,
        ordered_at=now,
        next_attempt_at=now,
        reverses=hold,
    )
    AuditEntry.record(actor="worker", verb="enforcement.ordered", target=release)
    return [release]
