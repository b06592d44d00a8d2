"""From fingerprints to findings: which banked hashes something is within reach of, and what each may cause."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from django.db.models import Max
from django.utils import timezone

from moderation.hashing import distance, judge
from moderation.models import BankedHash, HashBank, HashException
from moderation.models.banks import BankedHashQuerySet
from moderation.pipeline.index import bank_index
from moderation.pipeline.spaces import padded, place_of
from moderation.storage import blind_index, open_value

# What a machine may do alone only for what a reviewer has confirmed, and only this near (T-21).
NEAR_BITS = 10
MATCH_BITS = 31
PHASH_BITS = 8
_SAME_CONTENT_BITS = 4
_EXACT = ("sha256", "md5")


class Effect(IntEnum):
    """The most that a finding may cause before a person has looked (architecture, decision 12)."""

    REVIEW = 1  # a question for a person; nothing is hidden meanwhile
    HOLD = 2  # hidden while a person looks
    REMOVE = 3  # refused before publication; removed where the bank's policy says so


@dataclass(frozen=True, slots=True)
class Query:
    """All that is known of one picture, video or file to compare.

    ``pdq``: the forms of ONE picture (8 dihedral of the whole, then of its content box), its own first; of something
    that moves, the forms of its first frame and then the others as they are. ``frames``: the distinct frames of it.
    """

    pdq: Sequence[bytes] = ()
    frames: Sequence[bytes] = ()
    phash: bytes | None = None
    sha256: bytes | None = None
    md5: bytes | None = None

    @property
    def own(self) -> bytes | None:
        return self.pdq[0] if self.pdq else None


@dataclass(frozen=True, slots=True)
class Finding:
    """One banked hash within reach.

    ``distance`` and ``threshold`` are bits, 0 for an equal file; for a video, the missing and the allowed share of
    frames in percent.
    """

    hash: BankedHash
    distance: int
    threshold: int
    only_review: bool = False

    @property
    def effect(self) -> Effect:
        if self.only_review or self.hash.only_reviewed:
            return Effect.REVIEW
        near = self.distance <= NEAR_BITS and self.hash.signal_type != "vpdq"
        if near and self.hash.standing == BankedHash.Standing.CONFIRMED:
            return Effect.REMOVE
        return Effect.HOLD


def find(query: Query, *, questions: bool = False) -> list[Finding]:
    """The nearest finding for each banked hash, nearest first.

    :param questions: also what can only raise a question: the review band of PDQ, pHash, videos with few frames in
        common. A platform that asks before it publishes has no use for those.
    :raises BankUntrusted: if the banks in memory cannot be proved whole.
    """
    findings = [
        *_pictures(query, questions),
        *_videos(query, questions),
        *_lookalikes(query, questions),
        *_equals(query),
    ]
    asked = [finding for finding in findings if _is_asked(finding.hash.bank, query)]
    return sorted(asked, key=lambda one: (one.only_review, one.distance, one.hash.pk))


def _rows() -> BankedHashQuerySet:
    return BankedHash.objects.asking(timezone.now()).select_related("bank")


def _pictures(query: Query, questions: bool) -> list[Finding]:
    if not query.pdq:
        return []
    widest = widest_band() if questions else MATCH_BITS
    nearest: dict[int, int] = {}
    for found in bank_index().match(query.pdq, widest):
        nearest[found.id] = min(found.distance, nearest.get(found.id, widest))
    findings = []
    for row in _rows().filter(number__in=nearest) if nearest else ():
        finding = picture_finding(row, nearest[row.number or 0])
        if finding and (questions or not finding.only_review):
            findings.append(finding)
    return findings


def picture_finding(row: BankedHash, bits: int) -> Finding | None:
    """What a PDQ at this distance is to its bank: a match, a question, or nothing."""
    if bits <= row.bank.threshold:
        return Finding(row, bits, row.bank.threshold)
    if bits <= row.bank.review_threshold:
        return Finding(row, bits, row.bank.review_threshold, True)
    return None


def video_finding(
    row: BankedHash, asked_count: int, asked: set[int], banked: set[int]
) -> Finding | None:
    """What a video with these frames in common is; see ``hashing.judge``."""
    verdict = judge(asked_count, asked, row.entry_count, banked)
    missing = 100 - round(100 * max(verdict.query_share, verdict.bank_share))
    if verdict.is_match:
        return Finding(row, missing, 20)
    return Finding(row, missing, 100, True) if verdict.needs_review else None


def widest_band() -> int:
    """How far any enabled bank looks, in bits."""
    banks = HashBank.objects.filter(is_enabled=True)
    widest: int | None = banks.aggregate(widest=Max("review_threshold"))["widest"]
    return max(widest or 0, MATCH_BITS)


def _videos(query: Query, questions: bool) -> list[Finding]:
    # A single picture may be one of a video's: too little to be sure of, and enough to ask.
    frames = query.frames or (query.pdq[:1] if questions else ())
    if not frames:
        return []
    asked: dict[int, set[int]] = {}
    banked: dict[int, set[int]] = {}
    for found in bank_index().match(frames, MATCH_BITS, "vpdq"):
        number, place = place_of("vpdq", found.id)
        asked.setdefault(number, set()).add(found.query)
        banked.setdefault(number, set()).add(place)
    findings = []
    for row in _rows().filter(number__in=asked) if asked else ():
        number = row.number or 0
        finding = video_finding(row, len(frames), asked[number], banked[number])
        if finding and (questions or not finding.only_review):
            findings.append(finding)
    return findings


def _lookalikes(query: Query, questions: bool) -> list[Finding]:
    if query.phash is None or not questions:
        return []
    found = bank_index().match([padded(query.phash)], PHASH_BITS, "phash")
    bits = {one.id: one.distance for one in found}
    rows = _rows().filter(number__in=bits) if bits else ()
    return [Finding(row, bits[row.number or 0], PHASH_BITS, True) for row in rows]


def _equals(query: Query) -> list[Finding]:
    values = {"sha256": query.sha256, "md5": query.md5}
    indexes = [blind_index(value, kind) for kind, value in values.items() if value]
    if not indexes:
        return []
    rows = _rows().filter(signal_type__in=_EXACT, value_index__in=indexes)
    return [Finding(row, 0, 0) for row in rows]


def _is_asked(bank: HashBank, query: Query) -> bool:
    """A bank that is only partly switched on is asked about a share of pictures, and always about the same ones."""
    if bank.enabled_percent >= 100:
        return True
    what = query.own or query.sha256 or query.md5 or b"".join(query.frames[:1])
    draw = int(blind_index(what + bank.slug.encode(), "share")[:8], 16)
    return draw % 100 < bank.enabled_percent


def without_excepted(findings: list[Finding], query: Query) -> list[Finding]:
    """Drop what a reviewer found to be in order before: the same file, or the same picture within 4 bits (T-20)."""
    if not findings:
        return []
    exceptions = HashException.objects.filter(
        banked_hash__in=[finding.hash for finding in findings]
    )
    index = blind_index(query.sha256, "sha256") if query.sha256 else None
    excepted = {
        row.banked_hash_id
        for row in exceptions
        if row.sha256_index == index or _is_same_picture(row, query.own)
    }
    return [finding for finding in findings if finding.hash.pk not in excepted]


def _is_same_picture(row: HashException, pdq: bytes | None) -> bool:
    if pdq is None or row.pdq_sealed is None:
        return False
    return distance(open_value(row.pdq_sealed, "bank"), pdq) <= _SAME_CONTENT_BITS


def strongest(findings: Iterable[Finding]) -> Effect:
    return max((finding.effect for finding in findings), default=Effect.REVIEW)
