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
    where = np.arange(start, stop, max(1, (stop - start) // LINES))
    lines = _lines(pixels, where)
    levels = np.median(lines, axis=1).astype(np.int16)
    first, last = _longest_gap(_share(lines, levels[:, None], FLAT) >= FLAT_SHARE)
    if where[last] - where[first] < max(MIN_SIDE, len(pixels) // MIN_SHARE):
        return span
    is_step = False
    if first > 0:
        nearby = np.arange(where[first - 1], where[first] + REACH)
        start, is_step = _edge(_lines(pixels, nearby), levels[first - 1], nearby)
    if last < len(where) - 1:
        nearby = np.arange(where[last + 1], where[last] - REACH, -1)
        stop, also = _edge(_lines(pixels, nearby), levels[last + 1], nearby)
        stop, is_step = stop + 1, is_step or also
    return (start, stop) if is_step else span


def _lines(pixels: Pixels, where: NDArray[np.intp]) -> Lines:
    """The luma of the rows `where`, in evenly spread places."""
    step = max(1, pixels.shape[1] // PLACES)
    picked = pixels[where, step // 2 :: step]
    luma = picked if picked.ndim == 2 else picked @ GREY >> 8
    return luma.astype(np.int16)


def _share(
    lines: Lines, level: Lines | np.int16, tolerance: int
) -> NDArray[np.float64]:
    """Of each line, the share that is near to `level`."""
    share: NDArray[np.float64] = (np.abs(lines - level) <= tolerance).mean(axis=1)
    return share


def _longest_gap(flat: NDArray[np.bool_]) -> Span:
    """The first and the last line of the longest run of lines that are not flat."""
    bounds = np.flatnonzero(np.concatenate(([True], flat, [True])))
    longest = int(np.argmax(np.diff(bounds)))
    return int(bounds[longest]), int(bounds[longest + 1]) - 2


def _edge(lines: Lines, level: np.int16, where: NDArray[np.intp]) -> tuple[int, bool]:
    """Of lines from a bar inwards: the first that is half way to what is inside, and whether that is a step."""
    away = np.abs(lines - level).mean(axis=1)
    inside = away[-REACH // 3 :].mean()
    is_step = _share(lines[-REACH // 3 :], level, STEP).mean() <= 1 - STEP_SHARE
    return int(where[np.argmax(away >= inside / 2)]), bool(is_step)
