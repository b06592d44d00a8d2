"""The frames of a picture that moves: GIF, WebP, AVIF, APNG (in the sandbox)."""

from collections.abc import Iterable, Iterator
from math import floor
from typing import Final, NamedTuple

from PIL import Image

from moderation.media.jailed import canonical
from moderation.media.jailed.answers import (
    DONE,
    FRAME,
    MAX_SECONDS,
    MAX_WALKED,
    TOO_LONG,
    TOO_MANY_FRAMES,
    TOO_MANY_PIXELS,
    Stop,
)

FEW: Final = 60  # of so few frames all are given, however fast they pass
MOMENT: Final = (
    10  # milliseconds; what says to last no longer is on show for 100 in every browser
)


class Shown(NamedTuple):
    """A frame and the milliseconds from which and until which it is on show."""

    picture: Image.Image
    begins: int
    ends: int


def frames(data: bytes, every: float, limit: int) -> Iterator[bytes]:
    """Header and rows of each frame that is on show at 0, `every`, 2 x `every` ... seconds, and `limit` at most.

    :raises Stop: with what is wrong.
    """
    try:
        count = count_of(canonical.opened(data))
        shown = all_shown(canonical.opened(data), data, count)
        chosen = shown if count <= FEW else on_time(shown, every)
        for picture, begins, _ in first(chosen, limit):
            yield FRAME.pack(DONE, 0, *picture.size, begins / 1000)
            yield from canonical.stripes(picture)
    except canonical.BOMBS:
        raise Stop(TOO_MANY_PIXELS) from None


def count_of(image: Image.Image) -> int:
    """How many frames to look for; `image` may be of no more use afterwards."""
    if image.format == "HEIF":  # several pictures in one are an album, not a film
        return 1
    try:
        count = int(getattr(image, "n_frames", 1))
    except (MemoryError, ImportError, *canonical.BOMBS):
        raise
    except Exception:  # a GIF that breaks off: as many as are found
        return MAX_WALKED
    if count > MAX_WALKED:
        raise Stop(TOO_MANY_FRAMES)
    return count


def all_shown(image: Image.Image, data: bytes, count: int) -> Iterator[Shown]:
    """A file that breaks off after its first frame ends there, as it does in a browser."""
    begins = 0
    for number in range(count):
        picture = nth(image, number, data)
        if picture is None:
            return
        ends = begins + duration(image)
        if ends > 1000 * MAX_SECONDS:
            raise Stop(TOO_LONG)
        yield Shown(picture, begins, ends)
        begins = ends


def nth(image: Image.Image, number: int, data: bytes) -> Image.Image | None:
    """A frame, or None from where on the file is damaged."""
    try:
        image.seek(number)
        return canonical.upright(image, data)
    except (MemoryError, ImportError, *canonical.BOMBS):
        raise
    except Exception:  # hostile bytes make Pillow raise nearly anything
        if number == 0:
            raise
        return None


def duration(image: Image.Image) -> int:
    milliseconds = round(image.info.get("duration") or 0)
    return 100 if milliseconds <= MOMENT else milliseconds


def first(shown: Iterable[Shown], limit: int) -> Iterator[Shown]:
    """Ends only where one more would come: a film that is too long is found out on the way there."""
    for number, each in enumerate(shown):
        if number == limit:
            return
        yield each


def on_time(shown: Iterable[Shown], every: float) -> Iterator[Shown]:
    due = 0
    for each in shown:
        if each.ends > 1000 * every * due:
            yield each
            due = floor((each.ends - 1) / (1000 * every)) + 1
