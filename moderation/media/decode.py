"""Bytes of an unknown sender to the one canonical picture, in a process of its own."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moderation.media import sandbox
from moderation.media.jailed import picture as program
from moderation.media.limits import MAX_BYTES, MAX_PIXELS, Code, Kind, MediaRefused

PROGRAM: Final = Path(program.__file__)
REPLY_LIMIT: Final = program.HEADER.size + 3 * MAX_PIXELS

BEGINNINGS: Final[dict[bytes, Kind]] = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
# Recognised in order to say so: BMP, TIFF (both ways round), EPS (plain and wrapped),
# PDF, PSD, icons, JPEG XL (bare and boxed), JPEG 2000, Matroska.
OTHER_BEGINNINGS: Final = (
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"%!PS",
    b"\xc5\xd0\xd3\xc6",
    b"%PDF",
    b"8BPS",
    b"\0\0\1\0",
    b"\xff\x0a",
    b"\0\0\0\x0cJXL ",
    b"\0\0\0\x0cjP  ",
    b"\x1aE\xdf\xa3",
)
REFUSALS: Final[dict[int, Code]] = {
    program.DAMAGED: "truncated",
    program.TOO_MANY_PIXELS: "too_many_pixels",
}


@dataclass(frozen=True, eq=False)
class Picture:
    """RGB pixels, upright, on white: what every hash and every model here looks at."""

    pixels: NDArray[np.uint8] = field(repr=False)
    kind: Kind

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


def decode(data: bytes) -> Picture:
    """Decode JPEG, PNG, WebP or the first frame of a GIF, recognised by content.

    :raises MediaRefused: with the code of the first rule that `data` breaks.
    """
    kind = recognise(data)
    body = sandbox.run(PROGRAM, data, reply_limit=REPLY_LIMIT).body
    if len(body) < program.HEADER.size:
        raise MediaRefused("crashed")
    outcome, width, height = program.HEADER.unpack_from(body)
    if outcome in REFUSALS:
        raise MediaRefused(REFUSALS[outcome])
    # The process may have been taken over: its numbers must fit what it sent.
    if (
        outcome != program.DONE
        or not width * height
        or len(body) != size_of(width, height)
    ):
        raise MediaRefused("crashed")
    pixels = np.frombuffer(body, np.uint8, offset=program.HEADER.size)
    return Picture(pixels.reshape(height, width, 3), kind)


@cache
def isolation() -> frozenset[str]:
    """The protections that this host grants, found by trying, once per process."""
    return sandbox.run(PROGRAM, b"", reply_limit=REPLY_LIMIT).protections


def size_of(width: int, height: int) -> int:
    return program.HEADER.size + 3 * width * height


def recognise(data: bytes) -> Kind:
    """The accepted format that `data` begins like; compares bytes, parses nothing.

    :raises MediaRefused: `empty`, `too_large`, `unsupported` or `not_an_image`.
    """
    if not data:
        raise MediaRefused("empty")
    if len(data) > MAX_BYTES:
        raise MediaRefused("too_large")
    for beginning, kind in BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    raise MediaRefused("unsupported" if looks_like_media(data) else "not_an_image")


def looks_like_media(data: bytes) -> bool:
    is_container = data[4:8] == b"ftyp" or data.startswith(
        b"RIFF"
    )  # HEIC, AVIF, MP4; AVI
    return (
        data.startswith(OTHER_BEGINNINGS)
        or is_container
        or b"<svg" in data[:1024].lower()
    )
