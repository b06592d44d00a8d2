"""Bytes of an unknown sender to the one canonical picture, in a process of its own."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moderation.media import sandbox
from moderation.media.jailed import answers
from moderation.media.limits import (
    MAX_PIXELS,
    VIDEO_KINDS,
    Code,
    Kind,
    MediaRefused,
)
from moderation.media.recognise import may_move, recognise

PROGRAM: Final = Path(answers.__file__).with_name("picture.py")
REPLY_LIMIT: Final = answers.HEADER.size + 3 * MAX_PIXELS
REFUSALS: Final[dict[int, Code]] = {
    answers.DAMAGED: "truncated",
    answers.TOO_MANY_PIXELS: "too_many_pixels",
}
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Picture:
    """RGB pixels, upright, on white: what every model and every reviewer here looks at."""

    pixels: Pixels = field(repr=False)
    kind: Kind

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


@dataclass(frozen=True, eq=False)
class Luma:
    """The brightness (height x width) of the same picture: all that a hash looks at, for a third of the bytes."""

    pixels: Pixels = field(repr=False)
    kind: Kind


def decode(data: bytes) -> Picture:
    """Decode a picture, or the first frame of one that moves, recognised by content.

    :raises MediaRefused: with the code of the first rule that `data` breaks.
    """
    kind = _recognised(data)
    return Picture(_pixels(data, answers.COLOUR), kind)


def decode_luma(data: bytes) -> Luma:
    """As `decode`, but a JPEG is not turned into colours first; its PDQ is within 2 bits of the picture's.

    :raises MediaRefused: as `decode`.
    """
    kind = _recognised(data)
    return Luma(_pixels(data, answers.LUMA)[..., 0], kind)


def is_moving(data: bytes) -> bool:
    """Whether there is more than one frame to see: a video, or a picture that moves.

    :raises MediaRefused: as `decode`, but never `is_video`.
    """
    kind = recognise(data)
    if kind in VIDEO_KINDS:
        return True
    return (
        may_move(data, kind) and _ask(data, answers.DOES_IT_MOVE)[0] == answers.MOVING
    )


@cache
def isolation() -> frozenset[str]:
    """The protections that this host grants, found by trying, once per process."""
    wish = answers.WISH.pack(answers.COLOUR, 0, 0)
    return sandbox.run(PROGRAM, b"", wish=wish, reply_limit=REPLY_LIMIT).protections


def _recognised(data: bytes) -> Kind:
    kind = recognise(data)
    if kind in VIDEO_KINDS:
        raise MediaRefused("is_video")
    return kind


def _ask(data: bytes, what: int) -> tuple[int, bytearray]:
    """The outcome, and all that was answered."""
    body = sandbox.run(
        PROGRAM, data, wish=answers.WISH.pack(what, 0, 0), reply_limit=REPLY_LIMIT
    ).body
    if len(body) < answers.HEADER.size:
        raise MediaRefused("crashed")
    outcome = answers.HEADER.unpack_from(body)[0]
    if outcome in REFUSALS:
        raise MediaRefused(REFUSALS[outcome])
    return outcome, body


def _pixels(data: bytes, what: int) -> Pixels:
    outcome, body = _ask(data, what)
    _, width, height = answers.HEADER.unpack_from(body)
    bands = 1 if what == answers.LUMA else 3
    length = answers.HEADER.size + bands * width * height
    # The process may have been taken over: its numbers must fit what it sent.
    if outcome != answers.DONE or not width * height or len(body) != length:
        raise MediaRefused("crashed")
    pixels = np.frombuffer(body, np.uint8, offset=answers.HEADER.size)
    return pixels.reshape(height, width, bands)
