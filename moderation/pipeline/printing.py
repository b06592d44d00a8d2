"""From a file's bytes to all that is compared and kept of it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from moderation import hashing
from moderation.media import decode, decode_luma, frames, is_moving
from moderation.pipeline.findings import Query

# A model looks at so many pictures of a video, spread over its length.
_SCORED_FRAMES = 12


@dataclass(frozen=True, slots=True)
class Kept:
    """One fingerprint to store."""

    signal_type: str
    recipe: str
    value: bytes = field(repr=False)
    quality: int | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """What to ask the banks, what to keep, and the pixels for the models."""

    query: Query
    kept: tuple[Kept, ...]
    pictures: tuple[NDArray[np.uint8], ...] = field(repr=False, default=())


def printed(data: bytes) -> Printed:
    """Everything, for content that is kept.

    :raises MediaRefused: if it cannot be decoded.
    """
    if is_moving(data):
        return _moving(data, _SCORED_FRAMES)
    pixels = decode(data).pixels
    return _picture(data, hashing.picture_hashes(pixels), (pixels,))


def asked(data: bytes) -> Query:
    """What to ask the banks with, by the cheapest way.

    :raises MediaRefused: if it cannot be decoded.
    """
    if is_moving(data):
        return _moving(data, 0).query
    # What only raises a question is not asked before publication.
    pixels = decode_luma(data).pixels
    hashes = hashing.picture_hashes(pixels, with_phash=False)
    return _picture(data, hashes, ()).query


def _picture(
    data: bytes,
    hashes: hashing.PictureHashes,
    pictures: tuple[NDArray[np.uint8], ...],
) -> Printed:
    kept = _digests(data)
    forms: list[bytes] = []
    for own, turned, recipe in (
        (hashes.whole, hashes.forms, hashing.RECIPE),
        (hashes.box, hashes.box_forms, hashing.BOX_RECIPE),
    ):
        if own is not None and own.quality >= hashing.MIN_QUALITY:
            forms += turned
            kept.append(Kept("pdq", recipe, own.hash, own.quality))
    phash = hashes.phash if forms else None
    if phash is not None:
        kept.append(Kept("phash", hashing.PHASH_RECIPE, phash))
    query = Query(pdq=forms, phash=phash, sha256=kept[0].value, md5=kept[1].value)
    return Printed(query, tuple(kept), pictures)


def _moving(data: bytes, scored: int) -> Printed:
    """A video, or a picture that moves: by its frames, and by each of them as the picture that it is."""
    hashed: list[hashing.VideoFrame] = []
    forms: list[bytes] = []
    shown = _Spread(scored)
    for frame in frames(data):
        own, turned = hashing.pdq_forms(frame.pixels)
        hashed.append(hashing.VideoFrame(own.hash, own.quality, frame.at_seconds))
        shown.add(frame.pixels)
        if not forms and own.quality >= hashing.MIN_QUALITY:
            forms += turned
    distinct = hashing.distinct_frames(hashed)
    kept = _digests(data)
    if distinct:
        packed = hashing.pack_frames(distinct)
        kept.append(Kept("vpdq", hashing.VPDQ_RECIPE, packed))
    query = Query(
        pdq=[*forms, *distinct],
        frames=distinct,
        sha256=kept[0].value,
        md5=kept[1].value,
    )
    return Printed(query, tuple(kept), tuple(shown.pictures))


class _Spread:
    """Some of the pictures that come by, spread over all of them, without knowing how many will come."""

    def __init__(self, most: int) -> None:
        self.pictures: list[NDArray[np.uint8]] = []
        self._most, self._step, self._seen = most, 1, 0

    def add(self, picture: NDArray[np.uint8]) -> None:
        if self._most and self._seen % self._step == 0:
            self.pictures.append(picture)
            if len(self.pictures) > self._most:
                self.pictures, self._step = self.pictures[::2], self._step * 2
        self._seen += 1


def _digests(data: bytes) -> list[Kept]:
    return [
        Kept("sha256", "sha256-1", hashing.sha256(data)),
        Kept("md5", "md5-1", hashing.md5(data)),
    ]
