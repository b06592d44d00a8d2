"""The frames of a video or of a picture that moves, one at a time, from a process of its own."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Final

import numpy as np

from moderation.media import sandbox
from moderation.media.decode import PROGRAM, Pixels
from moderation.media.jailed import answers
from moderation.media.limits import (
    MAX_FRAMES,
    MAX_PIXELS,
    VIDEO_CPU_SECONDS,
    VIDEO_KINDS,
    VIDEO_WALL_SECONDS,
    Code,
    MediaRefused,
)
from moderation.media.recognise import recognise

VIDEO_PROGRAM: Final = Path(answers.__file__).with_name("video.py")
REFUSALS: Final[dict[int, Code]] = {
    answers.DAMAGED: "truncated",
    answers.TOO_MANY_PIXELS: "too_many_pixels",
    answers.TOO_LONG: "too_long",
    answers.TOO_MANY_FRAMES: "too_many_frames",
    answers.NO_FRAMES: "no_frames",
    answers.LOCKED: "encrypted",
    answers.UNKNOWN_CODEC: "unsupported_codec",
}


@dataclass(frozen=True, eq=False)
class Frame:
    """RGB pixels, upright, on white, and the second at which they come on."""

    pixels: Pixels = field(repr=False)
    at_seconds: float


def frames(
    data: bytes, *, every: float = 1.0, limit: int = MAX_FRAMES
) -> Iterator[Frame]:
    """One frame every `every` seconds of a video, and `limit` at most: the frames that vpdq takes, none of them scaled.

    Of a video with several tracks of pictures, those of one track after another; the seconds begin again with each. Of
    a picture that moves, the frame on show at each of these seconds, or all frames where they are few; of a still, the
    still. Only one frame is held at a time. A file that is broken gives the frames that a player would show. The whole
    of it is judged when the last frame has been taken, so a refusal may come after some frames.

    :raises MediaRefused: with the code of the first rule that `data` breaks.
    """
    program = VIDEO_PROGRAM if recognise(data) in VIDEO_KINDS else PROGRAM
    wish = answers.WISH.pack(answers.FRAMES, limit, every)
    with sandbox.conversation(
        program,
        data,
        wish=wish,
        cpu_seconds=VIDEO_CPU_SECONDS,
        wall_seconds=VIDEO_WALL_SECONDS,
    ) as talk:
        outcome = yield from _told(talk, limit)
    if outcome != answers.STILL:
        raise MediaRefused(REFUSALS[outcome])


def _told(talk: sandbox.Conversation, limit: int) -> Generator[Frame, None, int]:
    """Frames, and then the last outcome. The process may have been taken over: what it says must be possible."""
    for left in range(limit, -1, -1):
        record = talk.hear(answers.FRAME.size)
        outcome, turn, width, height, at = answers.FRAME.unpack(record)
        if outcome == answers.STILL or outcome in REFUSALS:
            return int(outcome)
        is_possible = outcome == answers.DONE and isfinite(at) and at >= 0
        if not (left and is_possible and 0 < width * height <= MAX_PIXELS):
            break
        rows = np.frombuffer(talk.hear(3 * width * height), np.uint8)
        yield Frame(_turned(rows.reshape(height, width, 3), turn), at)
    raise MediaRefused("crashed")


def _turned(pixels: Pixels, turn: int) -> Pixels:
    if turn & answers.SIDEWAYS:
        pixels = pixels.transpose(1, 0, 2)
    if turn & answers.UPSIDE_DOWN:
        pixels = pixels[::-1]
    if turn & answers.MIRRORED:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
