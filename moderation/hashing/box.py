"""The content box: a picture without the flat bars that people and phones put around it.

Borders, letterboxes, bars with a caption, a phone's frame around a screenshot: each moves the picture inside the
canvas, and then no hash of the whole finds it. Their rows (or columns) have one flat colour from side to side, also
between two lines of text. So the picture is the longest stretch without a flat line, if it begins or ends with a step.

At most a few hundred lines are looked at, in a few places each, and then every line close to an edge.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Lines = NDArray[np.int16]
Span = tuple[int, int]

MIN_SIDE: Final = 64
MIN_SHARE: Final = 5  # of the picture's side: a smaller box is more likely an icon
LINES: Final = 512
PLACES: Final = 128
FLAT: Final = 1  # levels around a line's median: what JPEG leaves of one colour
SPILL: Final = 12  # levels around a bar's colour: what JPEG leaves next to text
SPILL_REACH: Final = 32  # lines
FLAT_SHARE: Final = 0.96
STEP: Final = 5  # levels by which what is inside must differ from the bar,
STEP_SHARE: Final = 0.4  # in so many places
REACH: Final = 12  # lines over which JPEG or resizing blurs an edge
ROUNDS: Final = 6
GREY: Final = np.array([77, 150, 29], np.uint16)  # of 256: near enough to luma


@dataclass(frozen=True)
class Box:
    """Rows `top` to `bottom` and columns `left` to `right`, without the last of each."""

    top: int
    left: int
    bottom: int
    right: int

    def cut(self, pixels: Pixels) -> Pixels:
        return pixels[self.top : self.bottom, self.left : self.right]


def content_box(pixels: Pixels) -> Box | None:
    """Where the picture is inside RGB pixels or luma; None if it has no bars or is too small."""
    whole = rows, columns = (0, pixels.shape[0]), (0, pixels.shape[1])
    for _ in range(ROUNDS):
        before = rows, columns
        rows = _stretch(pixels[:, slice(*columns)], rows)
        columns = _stretch(pixels[slice(*rows)].swapaxes(0, 1), columns)
        if (rows, columns) == before:
            break
    if (rows, columns) == whole:
        return None
    return Box(rows[0], columns[0], rows[1], columns[1])


def _stretch(pixels: Pixels, span: Span) -> Span:
    """The part of `span` between the bars, seen as rows; all of it if there are none."""
    start, stop = span
    where = range(start, stop, max(1, (stop - start) // LINES))
    least = max(MIN_SIDE, len(pixels) // MIN_SHARE)
    first, last = _longest_gap(_flat(_lines(pixels, where), where))
    if last < first or where[last] - where[first] < least:
        return span
    is_step = False
    if first > 0:
        nearby = range(where[first - 1], where[first] + REACH)
        start, is_step = _edge(_lines(pixels, nearby), nearby)
    if last < len(where) - 1:
        nearby = range(where[last + 1], where[last] - REACH, -1)
        stop, also = _edge(_lines(pixels, nearby), nearby)
        stop, is_step = stop + 1, is_step or also
    return (start, stop) if is_step and stop - start >= least else span


def _lines(pixels: Pixels, where: range) -> Lines:
    """The luma of the rows `where`, in evenly spread places."""
    step = max(1, pixels.shape[1] // PLACES)
    picked = pixels[where.start : where.stop : where.step, step // 2 :: step]
    if picked.ndim == 2:
        return picked.astype(np.int16)
    red, green, blue = (picked[..., channel] * GREY[channel] for channel in range(3))
    luma: Lines = (red + green + blue >> 8).astype(np.int16)
    return luma


def _share(
    lines: Lines, level: Lines | np.int16, tolerance: int
) -> NDArray[np.float64]:
    """Of each line, the share that is near to `level`."""
    near = np.abs(lines - level) <= tolerance
    share: NDArray[np.float64] = np.count_nonzero(near, axis=1) / lines.shape[1]
    return share


def _flat(lines: Lines, where: range) -> NDArray[np.bool_]:
    """Which lines belong to a bar: those of one colour, and nearby those that would but for what JPEG spills there."""
    levels = np.median(lines, axis=1).astype(np.int16)[:, None]
    flat = _share(lines, levels, FLAT) >= FLAT_SHARE
    bars = np.flatnonzero(flat)
    if not len(bars):
        return flat
    number = np.arange(len(lines))
    after = np.searchsorted(bars, number).clip(0, len(bars) - 1)
    for bar in (bars[after], bars[(after - 1).clip(0)]):
        is_alike = _share(lines, levels[bar], SPILL) >= FLAT_SHARE
        flat |= is_alike & (np.abs(number - bar) * where.step <= SPILL_REACH)
    return flat


def _longest_gap(flat: NDArray[np.bool_]) -> Span:
    """The first and the last line of the longest run of lines that are not flat."""
    bounds = np.flatnonzero(np.concatenate(([True], flat, [True])))
    longest = int(np.argmax(np.diff(bounds)))
    return int(bounds[longest]), int(bounds[longest + 1]) - 2


def _edge(lines: Lines, where: range) -> tuple[int, bool]:
    """Of lines from a bar inwards: the first that is half way to what is inside, and whether that is a step."""
    level = np.median(lines[0]).astype(np.int16)
    away = np.abs(lines - level).mean(axis=1)
    inside = away[-REACH // 3 :].mean()
    is_step = _share(lines[-REACH // 3 :], level, STEP).mean() <= 1 - STEP_SHARE
    return where[int(np.argmax(away >= inside / 2))], bool(is_step)
