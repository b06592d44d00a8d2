"""From fingerprints to findings: which banked hashes a picture is within reach of, and what that raises."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from moderation.hashing import distance
from moderation.matching import NumpyEngine
from moderation.models import (
    AuditEntry,
    BankedHash,
    Content,
    Enforcement,
    Evidence,
    Fingerprint,
    Flag,
    HashException,
    Match,
)
from moderation.pipeline.index import bank_index
from moderation.storage import blind_index, open_value

# The widest threshold any bank may have today; each bank's own is applied to what comes back.
_WIDEST = 31
_SAME_CONTENT_BITS = 4
_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Finding:
    """One banked hash within its bank's threshold. ``distance`` in bits of 256; 0 for an equal SHA-256."""

    hash: BankedHash
    distance: int
    threshold: int


def find(pdq_hashes: Sequence[bytes], sha256: bytes | None = None) -> list[Finding]:
    """The nearest finding for each banked hash, nearest first. ``pdq_hashes`` are forms of ONE picture (dihedral).

    :raises BankUntrusted: if the bank in memory cannot be proved whole.
    """
    nearest: dict[int, int] = {}
    if pdq_hashes:
        for found in bank_index().match(list(pdq_hashes), _WIDEST):
            nearest[found.id] = min(found.distance, nearest.get(found.id, _WIDEST))
    rows = BankedHash.objects.live().filter(bank__is_enabled=True)
    findings = [
        Finding(row, nearest[row.pk], row.bank.threshold)
        for row in rows.filter(pk__in=nearest).select_related("bank")
        if nearest[row.pk] <= row.bank.threshold
    ]
    if sha256 is not None:
        equal = rows.filter(
            signal_type="sha256", value_index=blind_index(sha256, "sha256")
        )
        findings += [Finding(row, 0, 0) for row in equal.select_related("bank")]
    return sorted(findings, key=lambda finding: (finding.distance, finding.hash.pk))


def without_excepted(
    findings: list[Finding], pdq: bytes | None, sha256: bytes | None
) -> list[Finding]:
    """Drop what a reviewer found to be in order before: the same file, or the same picture within 4 bits (T-20)."""
    if not findings:
        return []
    exceptions = HashException.objects.filter(
        banked_hash__in=[finding.hash for finding in findings]
    )
    index = blind_index(sha256, "sha256") if sha256 else None
    excepted = set()
    for row in exceptions:
        same_file = row.sha256_index == index
        same_picture = (
            pdq is not None
            and row.pdq_sealed is not None
            and distance(open_value(row.pdq_sealed, "bank"), pdq) <= _SAME_CONTENT_BITS
        )
        if same_file or same_picture:
            excepted.add(row.banked_hash_id)
    return [finding for finding in findings if finding.hash.pk not in excepted]


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


def record_matches(content: Content, findings: list[Finding], now: datetime) -> bool:
    """Write what was found, and raise or strengthen the flag. Twice equals once.

    :returns: whether anything of it is new. What a decision has removed already raises no new question.
    """
    new = False
    lock_content(content)
    hashes = [finding.hash.pk for finding in findings]
    # Asked under the lock: a person may have withdrawn one while we compared.
    live = set(
        BankedHash.objects.live().filter(pk__in=hashes).values_list("pk", flat=True)
    )
    findings = [finding for finding in findings if finding.hash.pk in live]
    for finding in findings:
        _, created = Match.objects.get_or_create(
            content=content,
            banked_hash=finding.hash,
            defaults={
                "bank": finding.hash.bank,
                "source_ref": finding.hash.source_ref,
                "signal_type": finding.hash.signal_type,
                "distance": finding.distance,
                "threshold": finding.threshold,
                "found_at": now,
            },
        )
        new = new or created
    if new and not is_removed(content):
        raise_flag(content, Flag.Source.HASH_MATCH, match_parts(findings), now)
    return new


def is_removed(content: Content) -> bool:
    """A decision to remove stands: it is ordered, whatever the platform has confirmed so far, and not undone."""
    removals = content.enforcements.filter(
        action=Enforcement.Action.REMOVE, reversed_by__isnull=True
    )
    return removals.exclude(work_state=Enforcement.WorkState.CANCELLED).exists()


def match_parts(findings: list[Finding]) -> list[dict[str, object]]:
    near = min(finding.distance for finding in findings)
    parts: list[dict[str, object]] = [{"part": "match", "points": 60}]
    if near <= 10:
        parts.append({"part": "close", "points": 15})
    if any(f.hash.standing == BankedHash.Standing.CONFIRMED for f in findings):
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


def look_back(banked: BankedHash, now: datetime) -> list[Content]:
    """Search what was posted before for one new fingerprint, and act as if it had been banked then.

    The row remembers whether it was done: beat rings again for a search that was lost with a worker or a bell.

    :returns: the contents that now match, newest first.
    """
    if not banked.begin_search(now):
        return []
    found = _looked_back(banked, now)
    banked.end_search(now)
    return found


def _looked_back(banked: BankedHash, now: datetime) -> list[Content]:
    rows = Fingerprint.objects.filter(signal_type="pdq", expires_at__gt=now)
    value = open_value(banked.value_sealed, "bank")
    found: list[Content] = []
    batch: list[tuple[int, bytes]] = []
    for content_id, sealed in rows.values_list("content_id", "value_sealed").iterator(
        chunk_size=_ROWS
    ):
        batch.append((content_id, open_value(sealed, "history")))
        if len(batch) == _ROWS:
            found += _within(batch, value, banked, now)
            batch = []
    return found + _within(batch, value, banked, now)


def _within(
    batch: list[tuple[int, bytes]], value: bytes, banked: BankedHash, now: datetime
) -> list[Content]:
    engine = NumpyEngine()
    engine.add(batch)
    near = {
        found.id: found.distance
        for found in engine.match([value], banked.bank.threshold)
    }
    contents = Content.objects.filter(pk__in=near).exclude(visibility="DELETED")
    held = []
    for content in contents.select_related("platform", "account").order_by("-pk"):
        finding = Finding(banked, near[content.pk], banked.bank.threshold)
        with transaction.atomic():
            if record_matches(content, [finding], now):
                order_hold(content, _match_ref(content, banked), now)
                held.append(content)
    return held


def _match_ref(content: Content, banked: BankedHash) -> str:
    return Match.objects.get(content=content, banked_hash=banked).public_id
