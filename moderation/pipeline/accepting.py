"""Which fingerprints a bank takes: the one check for all that come in, from a person, a platform, a file or a feed."""

from typing import Final

from moderation.errors import Refusal
from moderation.hashing import (
    MIN_QUALITY,
    PHASH_RECIPE,
    RECIPE,
    VPDQ_RECIPE,
    plausible,
)

RECIPES: Final = {
    "pdq": RECIPE,
    "phash": PHASH_RECIPE,
    "vpdq": VPDQ_RECIPE,
    "sha256": "sha256-1",
    "md5": "md5-1",
}
HASH_BYTES: Final = {"pdq": 32, "phash": 8, "sha256": 32, "md5": 16}
FRAME_BYTES: Final = 32
MAX_FRAMES: Final = 600


class HashRefused(Refusal):
    """No picture has such a fingerprint, or it would match what has nothing to do with it."""

    code = "hash_refused"
    status = 422  # type: ignore[assignment]


def check_hash(signal_type: str, value: bytes, quality: int | None) -> None:
    """
    :raises HashRefused: saying what a fingerprint of this type must be.
    """
    if signal_type == "vpdq":
        _check_frames(value)
        return
    if signal_type not in HASH_BYTES:
        raise HashRefused(f"Only {', '.join(RECIPES)} are known signal types.")
    if len(value) != HASH_BYTES[signal_type]:
        raise HashRefused(f"{signal_type} has {HASH_BYTES[signal_type]} bytes.")
    if not any(value):
        raise HashRefused("All bits are zero: that is what a blank picture gives.")
    if signal_type != "pdq":
        return
    if quality is not None and quality < MIN_QUALITY:
        raise HashRefused(
            f"Its quality is below {MIN_QUALITY}: it would match unrelated pictures."
        )
    if not plausible(value):
        raise HashRefused("About half of a picture's bits are set; here they are not.")


def _check_frames(value: bytes) -> None:
    count, rest = divmod(len(value), FRAME_BYTES)
    if rest or not 1 <= count <= MAX_FRAMES:
        raise HashRefused(f"vpdq is 1 to {MAX_FRAMES} frames of {FRAME_BYTES} bytes.")
    for start in range(0, len(value), FRAME_BYTES):
        if not plausible(value[start : start + FRAME_BYTES]):
            raise HashRefused("A frame's hash is not one that a picture has.")
