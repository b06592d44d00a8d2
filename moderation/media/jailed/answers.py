"""What the parent asks of the programs in the sandbox, and how they answer; both sides import this."""

import struct
from collections.abc import Iterable
from typing import Final

MAX_PIXELS: Final = 40_000_000

# A wish: what to do; for FRAMES also the seconds between two frames and the most frames to give.
WISH: Final = struct.Struct("<BxxxId")
COLOUR, LUMA, DOES_IT_MOVE, FRAMES = range(4)

# An answer of one picture: outcome, width, height; then the rows.
HEADER: Final = struct.Struct("<BxxxII")
DONE, DAMAGED, TOO_MANY_PIXELS, STILL, MOVING = range(5)


def one_word(outcome: int) -> tuple[int, Iterable[bytes]]:
    return HEADER.size, [HEADER.pack(outcome, 0, 0)]
