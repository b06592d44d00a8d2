"""A reviewer sees a whole video at once."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from moderation.media import Frame, MediaRefused, contact_sheet, derivative, frames
from tests.moderation.media.videos import scenes, video


def film(count: int, size: tuple[int, int] = (160, 120)) -> Iterator[Frame]:
    """Frames that grow lighter from black to white."""
    for number in range(count):
        level = round(255 * number / max(1, count - 1))
        yield Frame(np.full((size[1], size[0], 3), level, np.uint8), float(number))


def levels(count: int) -> list[int]:
    """The grey in the middle of each cell, in reading order."""
    sheet = contact_sheet(film(count))
    rows, columns = sheet.height // 120, sheet.width // 160
    return [
        int(sheet.pixels[120 * row + 60, 160 * column + 80, 0])
        for row in range(rows)
        for column in range(columns)
    ]


@pytest.mark.parametrize(
    ("count", "grid"), [(1, (1, 1)), (2, (2, 1)), (4, (2, 2)), (5, (3, 2)), (9, (3, 3))]
)
def test_few_frames_are_all_shown(count: int, grid: tuple[int, int]) -> None:
    sheet = contact_sheet(film(count))

    assert (sheet.width, sheet.height) == (160 * grid[0], 120 * grid[1])
    assert levels(count)[:count] == [
        round(255 * n / max(1, count - 1)) for n in range(count)
    ]


@pytest.mark.parametrize("count", [10, 36, 37, 100, 600])
def test_of_many_nine_are_shown_from_the_first_to_nearly_the_last(count: int) -> None:
    shown = levels(count)

    assert len(shown) == 9
    assert shown[0] == 0
    assert shown[-1] > 225
    assert all(10 < b - a < 60 for a, b in pairwise(shown))


def test_large_frames_are_made_small() -> None:
    sheet = contact_sheet(film(9, (1920, 1080)))

    assert (sheet.width, sheet.height) == (3 * 480, 3 * 270)


def test_shows_a_real_video_and_can_be_softened() -> None:
    images = scenes(4)

    sheet = contact_sheet(frames(video(images)))

    assert (
        np.abs(sheet.pixels[:120, :160] - np.asarray(images[0]).astype(int)).mean() < 8
    )
    assert derivative(sheet, blur=True, grey=True).startswith(b"RIFF")


def test_frames_of_two_sizes_fit_the_larger() -> None:
    both = [next(film(1, (80, 120))), next(film(1, (160, 60)))]

    sheet = contact_sheet(both, kind="gif")

    assert (sheet.width, sheet.height, sheet.kind) == (320, 120, "gif")
    assert Image.fromarray(sheet.pixels).mode == "RGB"


def test_of_nothing_is_refused() -> None:
    with pytest.raises(MediaRefused) as caught:
        contact_sheet([])

    assert caught.value.code == "no_frames"
