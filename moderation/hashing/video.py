"""vPDQ: a video is the set of the PDQ hashes of its frames, one a second.

After Meta's reference (ThreatExchange, `vpdq/README.md`): frames of quality below 50 and repeated hashes are left out,
two frames match within 31 bits, and neither order nor time counts. A match there is a share of the query's frames and a
share of the bank's, and its two implementations want 80 % of different ones: of the bank's finds a known clip inside a
long upload but not an excerpt of a known video; of the query's the other way round. Both are copies, so here 80 % of
either is enough, if at least 3 distinct frames say so: one title card is not a video. Less than that goes to review.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from moderation.hashing.pdq import HASH_BYTES, MIN_QUALITY, THRESHOLD, matches

VPDQ_RECIPE: Final = "vpdq-1"
MAX_FRAMES: Final = 600
MIN_PERCENT: Final = 80
MIN_MATCHED: Final = 3


@dataclass(frozen=True)
class VideoFrame:
    hash: bytes = field(repr=False)
    quality: int
    at_seconds: float


@dataclass(frozen=True)
class VideoVerdict:
    """Which share of each side's distinct frames the other has, and what follows from it."""

    query_share: float
    bank_share: float
    matched_count: int
    is_match: bool
    needs_review: bool


def distinct_frames(frames: Iterable[VideoFrame]) -> tuple[bytes, ...]:
    """The hashes that stand for a video, in order of appearance: good ones, each once, 600 at most."""
    good = (frame.hash for frame in frames if frame.quality >= MIN_QUALITY)
    return tuple(dict.fromkeys(good))[:MAX_FRAMES]


def pack_frames(hashes: Sequence[bytes]) -> bytes:
    """One value for a whole video: its frames' hashes, one after the other.

    :raises ValueError: for no hash, more than 600, or one that is not of 32 bytes.
    """
    if not 0 < len(hashes) <= MAX_FRAMES:
        raise ValueError(f"A video has 1 to {MAX_FRAMES} hashes.")
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ValueError(f"A frame's hash has {HASH_BYTES} bytes.")
    return b"".join(hashes)


def unpack_frames(value: bytes) -> tuple[bytes, ...]:
    """The reverse of `pack_frames`.

    :raises ValueError: for what it could not have made.
    """
    if not value or len(value) % HASH_BYTES or len(value) > MAX_FRAMES * HASH_BYTES:
        raise ValueError(f"A video is 1 to {MAX_FRAMES} hashes of {HASH_BYTES} bytes.")
    starts = range(0, len(value), HASH_BYTES)
    return tuple(value[start : start + HASH_BYTES] for start in starts)


def judge(
    query_count: int,
    matched_query: Set[int],
    bank_count: int,
    matched_bank: Set[int],
) -> VideoVerdict:
    """Decide from the numbers of the frames, on both sides, that have a neighbour on the other side.

    :raises ValueError: for a side without frames.
    """
    if not (query_count and bank_count):
        raise ValueError("A video without frames cannot be compared.")
    sides = ((query_count, len(matched_query)), (bank_count, len(matched_bank)))
    matched_count = max(matched for _, matched in sides)
    is_match = any(
        matched >= MIN_MATCHED and 100 * matched >= MIN_PERCENT * count
        for count, matched in sides
    )
    return VideoVerdict(
        query_share=len(matched_query) / query_count,
        bank_share=len(matched_bank) / bank_count,
        matched_count=matched_count,
        is_match=is_match,
        needs_review=matched_count > 0 and not is_match,
    )


def compare_videos(
    query: Sequence[bytes], bank: Sequence[bytes], threshold: int = THRESHOLD
) -> VideoVerdict:
    """Compare two videos' distinct frames, each with each: what an index has to agree with."""
    pairs = [
        (one, other)
        for one, ours in enumerate(query)
        for other, theirs in enumerate(bank)
        if matches(ours, theirs, threshold)
    ]
    return judge(
        len(query),
        {one for one, _ in pairs},
        len(bank),
        {other for _, other in pairs},
    )
