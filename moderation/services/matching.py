"""A platform asks before it publishes. Nothing of what it asks about is stored."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from moderation.errors import Refusal
from moderation.media import MediaRefused
from moderation.models import Platform, token
from moderation.pipeline import (
    BankUntrusted,
    Effect,
    Finding,
    Query,
    asked,
    find,
    without_excepted,
)
from moderation.services.sharing import canary_alarm, may_be_canaries
from moderation.storage import bank_key, blind_index

__all__ = [
    "Evidence",
    "MediaUnreadable",
    "Query",
    "Verdict",
    "match",
    "match_media",
    "query_of",
]
_log = structlog.get_logger(__name__)


class MediaUnreadable(Refusal):
    """The bytes are no picture and no video that can be compared."""

    status = 422  # type: ignore[assignment]

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind a verdict: for the operator's own services only (scope match:evidence).

    ``reference`` names the source to this receiver alone: two receivers cannot compare theirs (T-17).
    """

    bank: str
    signal_type: str
    distance: int
    threshold: int
    standing: str
    fingerprint: str
    reference: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``allow``, ``hold`` or ``block``; ``degraded`` when the bank could not be consulted: then hold is safe."""

    verdict: str
    match_id: str
    degraded: bool = False
    evidence: tuple[Evidence, ...] = field(default=())


def query_of(signal_type: str, value: bytes) -> Query:
    """What to ask with one fingerprint; for a video, its frames of 32 bytes one after the other."""
    if signal_type == "vpdq":
        return Query(frames=[value[at : at + 32] for at in range(0, len(value), 32)])
    if signal_type == "pdq":
        return Query(pdq=[value])
    return Query(sha256=value) if signal_type == "sha256" else Query(md5=value)


def match(
    *, platform: Platform, queries: Sequence[Query], now: datetime
) -> list[Verdict]:
    """One verdict for each, in order."""
    indexes = [blind_index(one.own, "pdq") for one in queries if one.own]
    if may_be_canaries(indexes):
        canary_alarm(platform=platform, indexes=indexes)
    return [_verdict(platform, query) for query in queries]


def match_media(*, platform: Platform, media: bytes, now: datetime) -> Verdict:
    """
    :raises MediaUnreadable: if the bytes cannot be decoded as a picture or a video.
    """
    try:
        query = asked(media)
    except MediaRefused as refusal:
        raise MediaUnreadable(refusal.code, str(refusal)) from None
    return _verdict(platform, query)


def _verdict(platform: Platform, query: Query) -> Verdict:
    try:
        # What a reviewer found to be in order is in order before it is published, too.
        findings = without_excepted(find(query), query)
    except BankUntrusted:
        _log.error("bank_untrusted")
        return Verdict("hold", token(), degraded=True)
    # What is only a question hides nothing, and a question needs a content to be asked about.
    findings = [finding for finding in findings if finding.effect >= Effect.HOLD]
    if not findings:
        return Verdict("allow", token())
    blocks = any(finding.effect >= Effect.REMOVE for finding in findings)
    evidence = tuple(_evidence(platform, finding) for finding in findings)
    return Verdict("block" if blocks else "hold", token(), evidence=evidence)


def _evidence(platform: Platform, finding: Finding) -> Evidence:
    row = finding.hash
    named = f"{platform.pk}/{row.source_ref}".encode()
    reference = hmac.new(bank_key("reference"), named, hashlib.sha256).hexdigest()
    return Evidence(
        row.bank.slug,
        row.signal_type,
        finding.distance,
        finding.threshold,
        row.standing,
        row.public_id,
        reference[:32],
    )
