"""Pictures, for the sandbox: the canonical pixels of one, or its brightness, or whether it moves."""

from collections.abc import Iterable, Iterator
from typing import Final

from PIL import Image

from moderation.media.jailed import canonical
from moderation.media.jailed.answers import (
    DAMAGED,
    DOES_IT_MOVE,
    DONE,
    HEADER,
    LUMA,
    MOVING,
    STILL,
    TOO_MANY_PIXELS,
    WISH,
    one_word,
)

STRIPE_BYTES: Final = 1 << 18


def answer(data: bytes, wish: bytes) -> tuple[int, Iterable[bytes]]:
    what, _, _ = WISH.unpack_from(wish)
    try:
        return answer_to(what, data)
    except canonical.BOMBS:
        return one_word(TOO_MANY_PIXELS)
    except (MemoryError, ImportError):
        raise
    except Exception:  # hostile bytes make Pillow raise nearly anything
        return one_word(DAMAGED)


def answer_to(what: int, data: bytes) -> tuple[int, Iterable[bytes]]:
    if what == DOES_IT_MOVE:
        moves = getattr(canonical.opened(data), "is_animated", False)
        return one_word(MOVING if moves else STILL)
    return whole(canonical.luma(data) if what == LUMA else canonical.canonical(data))


def whole(picture: Image.Image) -> tuple[int, Iterable[bytes]]:
    length = len(picture.getbands()) * picture.width * picture.height
    return HEADER.size + length, stripes(picture)


def stripes(picture: Image.Image) -> Iterator[bytes]:
    """Header and rows, a few at a time: a second whole copy would not fit in memory."""
    width, height = picture.size
    yield HEADER.pack(DONE, width, height)
    step = max(1, STRIPE_BYTES // (len(picture.getbands()) * width))
    for top in range(0, height, step):
        yield picture.crop((0, top, width, min(top + step, height))).tobytes()
