"""PDQ as Meta's own code computes it, and what follows from what it is."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from moderation.hashing import (
    distance,
    matches,
    pdq,
    pdq_dihedral,
    pdq_forms,
    plausible,
    turned_forms,
)
from moderation.media import decode
from tests.moderation.hashing.pictures import (
    PHOTOGRAPHS,
    SHIPPED,
    SHIPPED_TOO,
    luma,
    picture,
    pixels,
    saved,
)

VECTORS = Path(__file__).parents[2] / "vectors"
ORACLE = json.loads((VECTORS / "pdq.json").read_text())
HASHES = st.binary(min_size=32, max_size=32)
# Grain of more than 64 pixels a side: where pixels or samples are equal, frequencies are but for rounding.
PLANES = st.builds(
    lambda seed, height, width: np.random.default_rng(seed).integers(
        0, 256, (height, width), np.uint8
    ),
    *(st.integers(0, 2**32), st.integers(65, 150), st.integers(65, 150)),
)
# The eight, in the order of the reference.
TURNS = (
    lambda plane: plane,
    lambda plane: np.rot90(plane),
    lambda plane: np.rot90(plane, 2),
    lambda plane: np.rot90(plane, 3),
    lambda plane: plane[::-1],
    lambda plane: plane[:, ::-1],
    lambda plane: plane.T,
    lambda plane: plane[::-1, ::-1].T,
)


def shipped(name: str) -> np.ndarray:
    """Through our own decoder."""
    folder = SHIPPED if (SHIPPED / name).exists() else SHIPPED_TOO
    return decode((folder / name).read_bytes()).pixels


def part(key: str) -> np.ndarray:
    name, *box = key.split()
    return pixels(picture(name).crop(tuple(map(int, box))))


def told(made: np.ndarray) -> dict[str, object]:
    dihedral = [value.hex() for value in pdq_dihedral(made)]
    assert dihedral[0] == pdq(made).hash.hex()
    return {"quality": pdq(made).quality, "dihedral": dihedral}


class TestEqualsTheReference:
    """All 8 hashes and the quality, bit for bit, through our own decoder."""

    @pytest.mark.parametrize("name", sorted(ORACLE["shipped"]))
    def test_on_shipped_pictures(self, name: str) -> None:
        assert told(shipped(name)) == ORACLE["shipped"][name]

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


class TestOddShapes:
    def test_a_strip_of_a_million_columns_takes_no_more_memory_than_it_has(
        self,
    ) -> None:
        """64 rows as long as that would be 32 times the picture, in a worker that has no limit of its own."""
        strip = np.random.default_rng(1).integers(0, 256, (5, 1_000_000), np.uint8)
        tracemalloc.start()
        try:
            made, forms = pdq_forms(strip)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert (made.hash, len(forms)) == (forms[0], 8)
        assert most < 4 * strip.nbytes

    def test_a_wide_strip_is_hashed_as_the_tall_one_that_it_is_when_turned(
        self,
    ) -> None:
        wide = pixels(picture().resize((70_000, 100)))

        upright, turned = pdq_forms(wide), pdq_forms(wide.swapaxes(0, 1))

        assert upright[0] == pdq(wide)
        assert upright[1][6] == turned[0].hash
        assert set(upright[1]) == set(turned[1])


class TestTheSamePicture:
    """What 31 bits are for."""

    @pytest.mark.parametrize("quality", [20, 50, 90])
    def test_saved_again(self, quality: int) -> None:
        again = pdq(pixels(saved(picture(), quality)))

        assert matches(again.hash, pdq(pixels(picture())).hash)

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

        _, turned = pdq_forms(pixels(picture().transpose(turn)))

        assert original in turned

    def test_laid_out_in_memory_in_another_way(self) -> None:
        original = pixels(picture())

        assert pdq(np.asfortranarray(original)) == pdq(original)

    def test_is_not_another_picture(self) -> None:
        hashes = [
            pdq(pixels(picture(f"{name}.png"))).hash for name in ("coffee", "chelsea")
        ]

        assert distance(*hashes) > 80


class TestForms:
    """Our own eight are those of the pictures really turned; the reference's are near to them."""

    @given(PLANES)
    def test_are_the_hashes_of_the_turned_pictures(self, plane: np.ndarray) -> None:
        whole, forms = pdq_forms(plane)

        assert whole == pdq(plane)
        for form, turn in zip(forms, TURNS, strict=True):
            # Added up in another order, so that chance may bring two over the median.
            assert distance(form, pdq(turn(plane)).hash) <= 2

    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    def test_are_to_the_bit_those_of_turned_photographs(self, name: str) -> None:
        plane = luma(picture(name))

        turned = tuple(pdq(turn(plane)).hash for turn in TURNS)

        assert pdq_forms(plane)[1] == turned

    def test_of_a_tall_picture_are_nearly_so(self) -> None:
        plane = luma(picture().resize((1500, 2250)))

        for form, turn in zip(pdq_forms(plane)[1], TURNS, strict=True):
            assert distance(form, pdq(turn(plane)).hash) <= 10

    def test_are_none_of_less_than_five_pixels(self) -> None:
        assert pdq_forms(np.zeros((4, 500), np.uint8)) == (
            pdq(np.zeros((4, 500), np.uint8)),
            (bytes(32),) * 8,
        )
        assert pdq_dihedral(np.zeros((4, 500), np.uint8)) == (bytes(32),) * 8


class TestTurnedForms:
    """What a hash alone tells of the other seven."""

    @given(HASHES)
    def test_twice_mirrored_or_transposed_is_the_hash_again(self, value: bytes) -> None:
        for number in (0, 2, 4, 5, 6, 7):
            assert turned_forms(turned_forms(value)[number])[number] == value

    @given(HASHES)
    def test_turned_four_times_is_the_hash_again(self, value: bytes) -> None:
        turned = value
        for _ in range(4):
            turned = turned_forms(turned)[1]

        assert turned == value

    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    def test_are_close_to_those_of_the_picture(self, name: str) -> None:
        image = picture(name)
        whole, forms = pdq_forms(luma(image.resize((1200, 1000))))

        about = turned_forms(whole.hash)

        apart = [distance(*pair) for pair in zip(forms, about, strict=True)]
        assert (apart[0], apart[6]) == (0, 0)
        assert max(apart) <= 31


class TestLuma:
    @given(PLANES)
    def test_is_hashed_as_grey_rgb(self, plane: np.ndarray) -> None:
        grey = np.repeat(plane[..., None], 3, axis=2)
        whole = pdq(plane)

        assert distance(whole.hash, pdq(grey).hash) <= 2
        assert whole.quality == pdq(grey).quality

    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    def test_of_a_photograph_has_the_very_bits_of_grey_rgb(self, name: str) -> None:
        plane = luma(picture(name))

        assert pdq_forms(plane) == pdq_forms(pixels(Image.fromarray(plane)))

    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    def test_of_a_photograph_is_near_to_its_colours(self, name: str) -> None:
        apart = distance(pdq(luma(picture(name))).hash, pdq(pixels(picture(name))).hash)

        assert apart <= 2


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

    @given(HASHES, HASHES, st.integers(0, 256))
    def test_within_the_threshold_is_a_match(self, a: bytes, b: bytes, n: int) -> None:
        assert matches(a, b, n) is (distance(a, b) <= n)

    def test_of_unlike_things_is_refused(self) -> None:
        with pytest.raises(ValueError, match="lengths"):
            distance(bytes(32), bytes(16))


class TestPlausible:
    """T-19: a claimed hash that no picture could have is refused; `test_guard.py` tries what pictures have."""

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
