"""Pictures, for the sandbox: the canonical pixels of one, or its brightness, whether it moves, or all its frames."""

from collections.abc import Iterable, Iterator
from io import BytesIO

from PIL import Image

from moderation.media.jailed import animation, canonical
from moderation.media.jailed.answers import (
    COLOUR,
    DAMAGED,
    DOES_IT_MOVE,
    DONE,
    FRAMES,
    HEADER,
    LUMA,
    MOVING,
    STILL,
    TOO_MANY_PIXELS,
    UNTIL_DONE,
    WISH,
    one_word,
    to_the_end,
)

Answer = tuple[int, Iterable[bytes | memoryview]]


def answer(data: bytes, wish: bytes) -> Answer:
    what, limit, every = WISH.unpack_from(wish)
    if what == FRAMES:
        return UNTIL_DONE, to_the_end(animation.frames(data, every, limit))
    try:
        return answer_at_once(what, data)
    except canonical.BOMBS:
        return one_word(TOO_MANY_PIXELS)
    except (MemoryError, ImportError):
        raise
    except Exception:  # hostile bytes make Pillow raise nearly anything
        return one_word(DAMAGED)


def answer_at_once(what: int, data: bytes) -> Answer:
    if what == DOES_IT_MOVE:
        moves = getattr(canonical.opened(data), "is_animated", False)
        return one_word(MOVING if moves else STILL)
    picture = canonical.luma(data) if what == LUMA else canonical.canonical(data)
    length = len(picture.getbands()) * picture.width * picture.height
    return HEADER.size + length, with_header(picture)


def with_header(picture: Image.Image) -> Iterator[bytes]:
    yield HEADER.pack(DONE, *picture.size)
    yield from canonical.stripes(picture)


def practise() -> None:
    """Do once, on pictures of our own, what each job does first: no child has to find its way again."""
    for format in ("JPEG", "PNG", "WEBP"):
        file = BytesIO()
        Image.new("RGB", (32, 32)).save(file, format)
        for what in (COLOUR, LUMA):
            _, pieces = answer(file.getvalue(), WISH.pack(what, 0, 0))
            b"".join(pieces)


practise()
