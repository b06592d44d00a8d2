"""What the parent asks of the programs in the sandbox, and how they answer; both sides import this."""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

UNTIL_DONE: Final = 2**64 - 1  # a length that only the pieces tell

MAX_PIXELS: Final = 40_000_000
MAX_VIDEO_PIXELS: Final = 4096 * 2304  # 4K, in any shape
MAX_SECONDS: Final = 600
MAX_WALKED: Final = 36_000  # ten minutes of 60 frames a second

# A wish: what to do; for FRAMES also the most frames to give and the seconds between two of them.
WISH: Final = struct.Struct("<BxxxId")
COLOUR, LUMA, DOES_IT_MOVE, FRAMES = range(4)

# An answer of one picture: outcome, width, height; then the rows.
HEADER: Final = struct.Struct("<BxxxII")
(
    DONE,
    DAMAGED,
    TOO_MANY_PIXELS,
    STILL,
    MOVING,
    TOO_LONG,
    TOO_MANY_FRAMES,
    NO_FRAMES,
    LOCKED,
    UNKNOWN_CODEC,
) = range(10)

# An answer of many: for each frame DONE, how it must be turned, width, height, its second; then its rows as they were
# decoded. At the end one more of these, with any other outcome: STILL when all is said.
FRAME: Final = struct.Struct("<BBxxIId")
MIRRORED, UPSIDE_DOWN, SIDEWAYS = 1, 2, 4  # to be undone in the order SIDEWAYS, others


def one_word(outcome: int) -> tuple[int, Iterable[bytes]]:
    return HEADER.size, [HEADER.pack(outcome, 0, 0)]


class Stop(Exception):  # noqa: N818 a refusal, not a fault
    """Frames that are not given, or not to the end; says which outcome."""

    def __init__(self, outcome: int) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def to_the_end(
    pieces: Iterable[bytes | memoryview],
) -> Iterator[bytes | memoryview]:
    """The pieces, then the last word; what hostile bytes make a decoder raise is a damaged file."""
    outcome = STILL
    try:
        yield from pieces
    except Stop as stop:
        outcome = stop.outcome
    except (MemoryError, ImportError):
        raise
    except Exception:
        outcome = DAMAGED
    yield FRAME.pack(outcome, 0, 0, 0, 0)
