"""Pictures of nothing in particular, whose hashes no bank may hold (T-19).

A claimed hash that is close to a page of text, a QR code, a flag or a simple sign would catch many people's uploads. So
a few dozen such pictures are drawn here, and what is within 31 bits of one of them, turned or mirrored too, is refused.

Not among them are blanks (their quality is 0, and nothing is looked up) and what is symmetric or made of stripes alone:
there most frequencies are zero but for rounding, so that each copy has a hash of its own.
"""

import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFont

from moderation.hashing.pdq import HASH_BYTES, THRESHOLD, pdq_forms

Points = tuple[int, ...]
Shape = tuple[str, Points]  # what to call of Pillow, and where

SIDE: Final = 512
GRID: Final = 100  # the shapes' own coordinates
LETTERS: Final = "RGfkae25%&?@"
WORDS: Final = "this is a screen with some words on it that tell nothing of anyone"

HOLES: Final = {"hole": ("ellipse", "white")}

# What is drawn, dark on light: outlines that icons, flags and placeholders share.
SIGNS: Final[dict[str, tuple[Shape, ...]]] = {
    "tick": (("polygon", (12, 52, 24, 40, 42, 58, 78, 18, 90, 30, 42, 82)),),
    "star": (
        ("polygon", (50, 8, 61, 38, 93, 38, 67, 57, 77, 88, 50, 69, 23, 88, 33, 57)),
        ("polygon", (50, 8, 33, 57, 7, 38)),
    ),
    "camera": (
        ("rectangle", (8, 30, 92, 80)),
        ("rectangle", (22, 20, 44, 30)),
        ("hole", (35, 38, 67, 72)),
    ),
    "landscape": (
        ("polygon", (5, 85, 38, 35, 60, 68, 72, 52, 95, 85)),
        ("ellipse", (66, 16, 84, 34)),
    ),
    "speech": (
        ("ellipse", (10, 15, 90, 70)),
        ("polygon", (25, 60, 20, 92, 52, 66)),
    ),
    "note": (
        ("ellipse", (14, 66, 44, 90)),
        ("rectangle", (38, 12, 44, 80)),
        ("polygon", (38, 12, 82, 26, 82, 42, 38, 26)),
    ),
    "moon": (("ellipse", (18, 12, 88, 88)), ("hole", (38, 4, 104, 76))),
    "magnifier": (
        ("ellipse", (12, 12, 66, 66)),
        ("hole", (22, 22, 56, 56)),
        ("polygon", (54, 62, 62, 54, 90, 82, 82, 90)),
    ),
    "key": (
        ("ellipse", (8, 34, 42, 66)),
        ("hole", (17, 43, 31, 57)),
        ("polygon", (40, 46, 92, 46, 92, 66, 84, 66, 84, 54, 40, 54)),
    ),
    "lightning": (("polygon", (56, 6, 22, 56, 46, 56, 38, 94, 78, 40, 54, 40)),),
    "cloud": (
        ("ellipse", (8, 44, 44, 78)),
        ("ellipse", (28, 24, 70, 70)),
        ("ellipse", (54, 40, 94, 78)),
    ),
    "nordic cross": (("rectangle", (0, 40, 100, 58)), ("rectangle", (28, 0, 46, 100))),
    "canton": (
        ("rectangle", (0, 0, 42, 54)),
        *(("rectangle", (42, 15 * row, 100, 15 * row + 7)) for row in range(4)),
        *(("rectangle", (0, 15 * row, 100, 15 * row + 7)) for row in range(4, 7)),
    ),
    "wedge": (("polygon", (0, 0, 50, 50, 0, 100)), ("rectangle", (0, 66, 100, 100))),
}


def guard_pictures() -> Iterator[tuple[str, Image.Image]]:
    """Each picture with a name, dark on light and light on dark."""
    for name, picture in (*_signs(), *_pages(), *_screens(), *_codes()):
        yield name, picture
        yield f"{name}, inverted", ImageChops.invert(picture)


@cache
def guard_hashes() -> tuple[bytes, ...]:
    """All eight hashes of each guard picture."""
    pictures = (np.asarray(picture) for _, picture in guard_pictures())
    return tuple(form for pixels in pictures for form in pdq_forms(pixels)[1])


def near_guard(value: bytes) -> bool:
    """Would this PDQ hash match a guard picture?"""
    return near_guards([value])[0]


def near_guards(values: Sequence[bytes]) -> list[bool]:
    """`near_guard` of each of many, in a third of the time."""
    words = np.frombuffer(b"".join(values), np.uint64)
    words = words.reshape(-1, HASH_BYTES // words.itemsize)
    near: list[bool] = []
    for start in range(0, len(values), _AT_ONCE):
        some = words[start : start + _AT_ONCE]
        distances = np.zeros((len(some), len(_guard_words())), np.uint16)
        for guards, asked in zip(_guard_words().T, some.T, strict=True):
            distances += np.bitwise_count(asked[:, None] ^ guards[None, :])
        near += (distances.min(axis=1, initial=HASH_BYTES * 8) <= THRESHOLD).tolist()
    return near


_AT_ONCE: Final = 64  # so that the differences stay in the cache


@cache
def _guard_words() -> NDArray[np.uint64]:
    words = np.frombuffer(b"".join(guard_hashes()), np.uint64)
    return words.reshape(-1, HASH_BYTES // words.itemsize)


def _blank() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("L", (SIDE, SIDE), "white")
    return picture, ImageDraw.Draw(picture)


def _signs() -> Iterator[tuple[str, Image.Image]]:
    for name, shapes in SIGNS.items():
        picture, draw = _blank()
        for kind, points in shapes:
            shape, fill = HOLES.get(kind, (kind, "black"))
            getattr(draw, shape)([at * SIDE / GRID for at in points], fill=fill)
        yield name, picture
    font = ImageFont.load_default(SIDE * 7 // 8)
    for letter in LETTERS:
        picture, draw = _blank()
        draw.text((SIDE // 2, SIDE // 2), letter, "black", font, anchor="mm")
        yield f"letter {letter}", picture


def _pages() -> Iterator[tuple[str, Image.Image]]:
    """Text over the whole page, and over its upper half as in a message."""
    for size in (20, 28, 40, 56, 80):
        for height in (SIDE, SIDE // 2):
            picture, draw = _blank()
            _write(draw, (16, 16, SIDE - 16, height), size)
            yield f"text of {size}, {height} high", picture


def _screens() -> Iterator[tuple[str, Image.Image]]:
    """Lists with a round picture at the left of each line, under a bar."""
    bar = 56
    for rows in (4, 6, 9):
        picture, draw = _blank()
        draw.rectangle((0, 0, SIDE, bar), fill="#456")
        _write(draw, (20, 12, 240, 48), 28, "white")
        high = (SIDE - bar) // rows
        for top in range(bar + 8, SIDE - high + 8, high):
            draw.ellipse((16, top, high, top + high - 16), fill="#999")
            _write(draw, (high + 20, top, SIDE - 40, top + high - 12), high // 3)
        yield f"list of {rows}", picture


def _write(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    size: int,
    fill: str = "black",
) -> None:
    font = ImageFont.load_default(size)
    left, top, right, bottom = box
    x, y = left, top
    for word in itertools.cycle(WORDS.split()):
        if x + font.getlength(word) > right:
            x, y = left, y + size * 5 // 4
        if y + size > bottom:
            return
        draw.text((x, y), word, fill=fill, font=font)
        x += round(font.getlength(word + " "))


def _codes() -> Iterator[tuple[str, Image.Image]]:
    """Squares like those of a QR code, with its three marks and a quiet border."""
    for count in (21, 25, 29):
        dice = np.random.default_rng(count)
        squares = dice.integers(0, 2, (count, count), np.uint8) * 255
        for top, left in ((0, 0), (0, count - 7), (count - 7, 0)):
            for inset, level in ((0, 0), (1, 255), (2, 0)):
                upto = 7 - inset
                squares[top + inset : top + upto, left + inset : left + upto] = level
        code = Image.fromarray(np.pad(squares, 3, constant_values=255))
        yield f"code of {count}", code.resize((SIDE, SIDE), Image.Resampling.BOX)
