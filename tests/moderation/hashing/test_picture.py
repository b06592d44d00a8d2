"""All that a picture is known by, from one call."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from moderation.hashing import distance, pdq, pdq_forms, phash, picture_hashes
from tests.moderation.hashing.pictures import luma, picture, pixels, saved


@pytest.mark.parametrize("name", ["coffee.png", "camera.png"])
@pytest.mark.parametrize("seen", [pixels, luma])
def test_a_picture_without_bars_has_its_own_hashes_only(name: str, seen) -> None:
    made = picture_hashes(seen(picture(name)))

    assert (made.whole, made.forms) == pdq_forms(seen(picture(name)))
    assert (made.box, made.box_forms) == (None, ())
    assert made.phash == phash(seen(picture(name)))


def test_a_bordered_picture_also_has_those_of_the_picture_inside() -> None:
    image = picture()
    bordered = ImageOps.expand(image, 60, "white")

    made = picture_hashes(pixels(bordered))

    assert made.whole == pdq(pixels(bordered))
    assert (made.box, made.box_forms) == pdq_forms(pixels(image))


def test_a_screenshot_of_a_mirrored_copy_is_found_by_its_box() -> None:
    original = pdq(pixels(picture())).hash
    mirrored = ImageOps.mirror(picture()).resize((540, 360))
    screen = Image.new("RGB", (540, 1170), "black")
    screen.paste(mirrored, (0, 400))

    made = picture_hashes(luma(saved(screen)))

    assert min(distance(original, form) for form in made.forms) > 63
    assert min(distance(original, form) for form in made.box_forms) <= 31


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (1, 900), (5, 5)])
def test_of_the_smallest_pictures_nothing_is_usable(size: tuple[int, int]) -> None:
    made = picture_hashes(np.zeros(size, np.uint8))

    assert made.whole.quality == 0
    assert made.box is None
    assert len(made.forms) == 8


def test_no_hash_shows_itself_in_logs() -> None:
    made = picture_hashes(pixels(ImageOps.expand(picture(), 60, "white")))

    assert repr(made) == "PictureHashes(whole=Pdq(quality=100), box=Pdq(quality=100))"
