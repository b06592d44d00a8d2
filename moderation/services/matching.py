"""A platform asks before it publishes. Nothing of what it asks about is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from moderation import hashing
from moderation.errors import Refusal
from moderation.media import MediaRefused, decode
from moderation.models import BankedHash, Platform, token
from moderation.pipeline import BankUntrusted, Finding, find, without_excepted

_log = structlog.get_logger(__name__)
# Automatic blocking only for what a reviewer has confirmed, and only this near (T-21).
_BLOCK_WITHIN = 10


class PictureRefused(Refusal):
    """The bytes are not a picture that can be compared."""

    status = 422  # type: ignore[assignment]

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind a verdict: for the operator's own services only (scope match:evidence)."""

    bank: str
    signal_type: str
    distance: int
    threshold: int
    standing: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``allow``, ``hold`` or ``block``; ``degraded`` when the bank could not be consulted: then hold is safe."""

    verdict: str
    match_id: str
    degraded: bool = False
    evidence: tuple[Evidence, ...] = field(default=())


def match(
    *, platform: Platform, hashes: Sequence[bytes], now: datetime
) -> list[Verdict]:
    """One verdict for each PDQ hash, in order."""
    return [_verdict([value], value, None) for value in hashes]


def match_picture(*, platform: Platform, picture: bytes, now: datetime) -> Verdict:
    """
    :raises PictureRefused: if the bytes cannot be decoded as a picture.
    """
    try:
        decoded = decode(picture)
    except MediaRefused as refusal:
        raise PictureRefused(refusal.code, str(refusal)) from None
    own, forms = hashing.pdq_forms(decoded.pixels)
    good = own.quality >= hashing.MIN_QUALITY
    sha256 = hashing.sha256(picture)
    return (
        _verdict(list(forms), own.hash, sha256) if good else _verdict([], None, sha256)
    )


def _verdict(forms: list[bytes], pdq: bytes | None, sha256: bytes | None) -> Verdict:
    try:
        # What a reviewer found to be in order is in order before it is published, too.
        findings = without_excepted(find(forms, sha256), pdq, sha256)
    except BankUntrusted:
        _log.error("bank_untrusted")
        return Verdict("hold", token(), degraded=True)
    if not findings:
        return Verdict("allow", token())
    blocks = any(_may_block(finding) for finding in findings)
    evidence = tuple(
        Evidence(
            finding.hash.bank.slug,
            finding.hash.signal_type,
            finding.distance,
            finding.threshold,
            finding.hash.standing,
        )
        for finding in findings
    )
    return Verdict("block" if blocks else "hold", token(), evidence=evidence)


def _may_block(finding: Finding) -> bool:
    confirmed = finding.hash.standing == BankedHash.Standing.CONFIRMED
    return confirmed and finding.distance <= _BLOCK_WITHIN
