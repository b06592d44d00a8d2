"""PDQ as Meta's own code computes it, and what follows from what it is."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import skimage
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from moderation.hashing import distance, pdq, pdq_dihedral, plausible
from moderation.media import decode

VECTORS = Path(__file__).parents[2] / "vectors"
SHIPPED = Path(skimage.__file__).parent / "data"
ORACLE = json.loads((VECTORS / "pdq.json").read_text())
HASHES = st.binary(min_size=32, max_size=32)


def picture(name: str = "coffee.png") -> Image.Image:
    with Image.open(SHIPPED / name) as image:
        return image.convert("RGB")


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def part(key: str) -> np.ndarray:
    name, *box = key.split()
    with Image.open(SHIPPED / name) as image:
        return pixels(image.crop(tuple(map(int, box))))


def told(made: np.ndarray) -> dict[str, object]:
    dihedral = [value.hex() for value in pdq_dihedral(made)]
    assert dihedral[0] == pdq(made).hash.hex()
    return {"quality": pdq(made).quality, "dihedral": dihedral}


class TestEqualsTheReference:
    """All 8 hashes and the quality, bit for bit, through our own decoder."""

    @pytest.mark.parametrize("name", sorted(ORACLE["shipped"]))
    def test_on_shipped_pictures(self, name: str) -> None:
        made = decode((SHIPPED / name).read_bytes()).pixels

        assert told(made) == ORACLE["shipped"][name]

    @pytest.mark.parametrize("name", sorted(ORACLE["browser"]))
    def test_on_the_files_that_browsers_are_tested_with(self, name: str) -> None:
        made = decode((VECTORS / "browser" / name).read_bytes()).pixels

        assert told(made) == ORACLE["browser"][name]

    @pytest.mark.parametrize("key", sorted(ORACLE["parts"]))
    def test_on_small_and_narrow_pictures(self, key: str) -> None:
        assert told(part(key)) == ORACLE["parts"][key]


class TestQuality:
    @pytest.mark.parametrize("size", [(4, 500), (500, 4), (1, 1)])
    def test_of_less_than_five_pixels_is_none(self, size: tuple[int, int]) -> None:
        made = pixels(picture().resize(size))

        assert (pdq(made).hash, pdq(made).quality) == (bytes(32), 0)

    @pytest.mark.parametrize("colour", ["white", "black", "#807060"])
    def test_of_a_blank_is_none(self, colour: str) -> None:
        assert pdq(pixels(Image.new("RGB", (300, 200), colour))).quality == 0

    def test_of_a_photograph_is_full(self) -> None:
        assert pdq(pixels(picture())).quality == 100


class TestTheSamePicture:
    """What 31 bits are for."""

    @pytest.mark.parametrize("quality", [20, 50, 90])
    def test_saved_again(self, quality: int) -> None:
        file = BytesIO()
        picture().save(file, "JPEG", quality=quality)

        again = decode(file.getvalue()).pixels

        assert distance(pdq(again).hash, pdq(pixels(picture())).hash) <= 31

    @pytest.mark.parametrize("scale", [0.5, 0.75, 2])
    def test_in_another_size(self, scale: float) -> None:
        size = tuple(round(side * scale) for side in picture().size)

        again = pixels(picture().resize(size))

        assert distance(pdq(again).hash, pdq(pixels(picture())).hash) <= 31

    @pytest.mark.parametrize("turn", list(Image.Transpose))
    def test_turned_or_mirrored_is_among_its_8_hashes(
        self, turn: Image.Transpose
    ) -> None:
        original = pdq(pixels(picture())).hash

        turned = pdq_dihedral(pixels(picture().transpose(turn)))

        assert min(distance(original, value) for value in turned) <= 31

    def test_laid_out_in_memory_in_another_way(self) -> None:
        original = pixels(picture())

        assert pdq(np.asfortranarray(original)) == pdq(original)

    def test_is_not_another_picture(self) -> None:
        hashes = [
            pdq(pixels(picture(f"{name}.png"))).hash for name in ("coffee", "chelsea")
        ]

        assert distance(*hashes) > 80


class TestPixels:
    @pytest.mark.parametrize(
        "wrong",
        [
            np.zeros((9, 9, 4), np.uint8),
            np.zeros((9, 9), np.uint16),
            np.zeros((9, 9, 3), np.float32),
        ],
    )
    def test_that_are_neither_rgb_nor_luma_of_8_bits_are_refused(
        self, wrong: np.ndarray
    ) -> None:
        with pytest.raises(ValueError, match="RGB"):
            pdq(wrong)


class TestDistance:
    @given(HASHES, HASHES)
    def test_is_symmetric_and_nothing_only_to_itself(self, a: bytes, b: bytes) -> None:
        assert distance(a, b) == distance(b, a)
        assert (distance(a, b) == 0) == (a == b)

    @given(HASHES, HASHES, HASHES)
    def test_is_never_longer_than_a_detour(self, a: bytes, b: bytes, c: bytes) -> None:
        assert distance(a, c) <= distance(a, b) + distance(b, c)

    @given(HASHES, st.sets(st.integers(0, 255)))
    def test_counts_the_flipped_bits(self, a: bytes, flipped: set[int]) -> None:
        b = int.from_bytes(a) ^ sum(1 << bit for bit in flipped)

        assert distance(a, b.to_bytes(32)) == len(flipped)

    def test_of_unlike_things_is_refused(self) -> None:
        with pytest.raises(ValueError, match="lengths"):
            distance(bytes(32), bytes(16))


class TestPlausible:
    """T-19: a claimed hash that no picture could have is refused."""

    def test_for_a_thousand_parts_of_photographs(self) -> None:
        photographs = [
            pixels(picture(f"{name}.png")) for name in ("coffee", "astronaut")
        ]
        random = np.random.default_rng(7)
        for _ in range(500):
            for photograph in photographs:
                top, left = random.integers(0, 300, 2)
                part = photograph[top : top + 99, left : left + 99]
                assert plausible(pdq(part).hash)

    @pytest.mark.parametrize(
        ("bits", "verdict"),
        [
            (0, False),
            (111, False),
            (112, True),
            (144, True),
            (145, False),
            (256, False),
        ],
    )
    def test_by_the_number_of_bits_set(self, bits: int, verdict: bool) -> None:
        value = (2**bits - 1).to_bytes(32)

        assert plausible(value) is verdict

    def test_not_for_another_length(self) -> None:
        assert not plausible((2**128 - 1).to_bytes(33))


def test_a_hash_does_not_show_itself_in_logs() -> None:
    made = pdq(pixels(picture()))

    assert repr(made) == "Pdq(quality=100)"
