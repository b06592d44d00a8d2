"""One picture that shows a whole video: what a reviewer sees first of it."""

from collections.abc import Iterable
from math import ceil, sqrt
from typing import Final

import numpy as np
from PIL import Image

from moderation.media.decode import Picture
from moderation.media.frames import Frame
from moderation.media.limits import Kind, MediaRefused

CELLS: Final = 9
CELL_SIDE: Final = 480


def contact_sheet(frames: Iterable[Frame], *, kind: Kind = "mp4") -> Picture:
    """Up to nine frames, spread over the length, in rows from left to right; takes them one by one and holds few.

    :raises MediaRefused: `no_frames`, and whatever `frames` raises.
    """
    cells = _spread(_thinned(frames))
    if not cells:
        raise MediaRefused("no_frames")
    columns = ceil(sqrt(len(cells)))
    width, height = (max(cell.size[side] for cell in cells) for side in (0, 1))
    sheet = Image.new("RGB", (columns * width, ceil(len(cells) / columns) * height))
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        sheet.paste(cell, (column * width, row * height))
    return Picture(np.asarray(sheet), kind)


def _thinned(frames: Iterable[Frame]) -> list[Image.Image]:
    """Every frame, or every second, fourth ...: so many that nine can be picked, never more than four times nine."""
    kept: list[Image.Image] = []
    step = 1
    for number, frame in enumerate(frames):
        if number % step:
            continue
        kept.append(_small(frame))
        if len(kept) == 4 * CELLS:
            kept = kept[::2]
            step *= 2
    return kept


def _small(frame: Frame) -> Image.Image:
    image = Image.fromarray(frame.pixels)
    image.thumbnail((CELL_SIDE, CELL_SIDE), Image.Resampling.BICUBIC, reducing_gap=1.5)
    return image


def _spread(images: list[Image.Image]) -> list[Image.Image]:
    if len(images) <= CELLS:
        return images
    last = len(images) - 1
    return [images[round(number * last / (CELLS - 1))] for number in range(CELLS)]
