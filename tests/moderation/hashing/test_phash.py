"""pHash as ImageHash computes it."""

import imagehash
import numpy as np
import pytest
from PIL import Image

from moderation.hashing import PHASH_THRESHOLD, distance, phash
from tests.moderation.hashing.pictures import PHOTOGRAPHS, luma, picture, pixels, saved


def theirs(image: Image.Image) -> bytes:
    return bytes.fromhex(str(imagehash.phash(image)))


class TestEqualsImageHash:
    @pytest.mark.parametrize("name", sorted({*PHOTOGRAPHS} - {"retina.jpg"}))
    def test_to_the_bit(self, name: str) -> None:
        image = picture(name)

        assert phash(pixels(image)) == theirs(image)

    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    def test_to_the_bit_for_luma(self, name: str) -> None:
        image = picture(name).resize((701, 1023))

        assert phash(luma(image)) == theirs(image)

    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    def test_within_two_bits_above_1023_pixels(self, name: str) -> None:
        image = picture(name).resize((2400, 1700))

        assert distance(phash(pixels(image)), theirs(image)) <= 2


class TestFinds:
    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    def test_a_mild_crop(self, name: str) -> None:
        image = picture(name)
        width, height = image.size
        part = image.crop((width // 50, height // 50, width, height))

        assert distance(phash(luma(saved(part))), phash(luma(image))) <= PHASH_THRESHOLD

    def test_no_other_picture(self) -> None:
        hashes = [phash(luma(picture(name))) for name in PHOTOGRAPHS]
        pairs = [
            distance(one, other)
            for number, one in enumerate(hashes)
            for other in hashes[:number]
        ]

        assert min(pairs) > PHASH_THRESHOLD


def test_a_blank_has_a_hash_of_eight_bytes() -> None:
    assert len(phash(np.full((40, 30), 128, np.uint8))) == 8
