"""What a reviewer is shown instead of the picture (T-37)."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from moderation.media import Picture, decode, derivative
from tests.moderation.media.files import saved, shipped, turned_by_exif

MARK = "Reviewer heron-7 · 2026-01-31 09:05"


def picture(image: Image.Image | None = None) -> Picture:
    return decode(saved(image or shipped(), "PNG"))


def shown(of: Picture, **wishes: object) -> Image.Image:
    wishes = {"blur": False, "grey": False} | wishes
    return Image.open(BytesIO(derivative(of, **wishes)))


class TestSize:
    @pytest.mark.parametrize("size", [(1500, 1000), (1000, 1500), (1025, 3)])
    def test_is_at_most_1024(self, size: tuple[int, int]) -> None:
        image = shown(picture(shipped().resize(size)))

        assert max(image.size) == 1024
        assert image.width / image.height == pytest.approx(size[0] / size[1], rel=0.02)

    def test_of_a_small_picture_stays(self) -> None:
        assert shown(picture()).size == shipped().size

    def test_is_the_callers_to_choose(self) -> None:
        assert shown(picture(), max_side=100).size == (100, 100)

    def test_of_one_pixel(self) -> None:
        assert shown(picture(Image.new("RGB", (1, 1))), blur=True, grey=True).size == (
            1,
            1,
        )


class TestMetadata:
    def test_is_none(self) -> None:
        data = turned_by_exif(shipped(), 6, "JPEG")

        made = derivative(decode(data), blur=False, grey=False, mark=MARK)

        assert not {b"EXIF", b"XMP ", b"ICCP"} & {
            made[i : i + 4] for i in range(len(made))
        }
        assert Image.open(BytesIO(made)).getexif() == {}

    def test_nor_the_original(self) -> None:
        data = saved(shipped(), "WEBP", quality=80)

        assert derivative(decode(data), blur=False, grey=False) != data


class TestGrey:
    def test_has_no_colour(self) -> None:
        pixels = np.asarray(shown(picture(), grey=True).convert("RGB")).astype(int)

        assert np.ptp(pixels, axis=2).max() <= 4  # WebP rounds


class TestBlur:
    def test_leaves_nothing_of_the_size_of_a_letter(self) -> None:
        """A pattern finer than a 24th of the side comes out flat."""
        rows, columns = np.mgrid[:960, :960] // 10
        board = Image.fromarray(((rows + columns) % 2 * 255).astype(np.uint8))

        pixels = np.asarray(shown(picture(board), blur=True).convert("L"))

        assert pixels.std() < 4

    def test_leaves_the_coarsest_shapes(self) -> None:
        halves = Image.new("L", (960, 960))
        halves.paste(255, (480, 0, 960, 960))

        pixels = np.asarray(shown(picture(halves), blur=True).convert("L"))

        assert pixels[:, :240].mean() < 20
        assert pixels[:, 720:].mean() > 235

    def test_can_not_be_sharpened_back(self) -> None:
        """It is what 24 cells to a side say and no more: pictures that share the cells share the blur."""
        image = shipped()
        cells = image.resize((24, 24), Image.Resampling.BOX)

        whole, rebuilt = (
            np.asarray(shown(picture(each), blur=True).convert("RGB")).astype(int)
            for each in (image, cells.resize(image.size, Image.Resampling.NEAREST))
        )

        assert np.abs(whole - rebuilt).mean() < 3


class TestMark:
    @pytest.mark.parametrize("size", [(1024, 768), (512, 512), (60, 40), (5, 900)])
    def test_is_whole_and_in_the_corner_below_right(
        self, size: tuple[int, int]
    ) -> None:
        grey = picture(Image.new("RGB", size, (128, 128, 128)))

        image = shown(grey, mark=MARK).convert("L")
        ink = np.argwhere(np.asarray(image) > 200)

        top, left = ink.min(axis=0)
        bottom, right = ink.max(axis=0)
        assert bottom > image.height - 30
        assert image.width - 30 < right < image.width - 2
        assert right - left > 150
        assert 5 < bottom - top < 30

    def test_can_be_read_on_white(self) -> None:
        white = picture(Image.new("RGB", (800, 600), "white"))

        pixels = np.asarray(shown(white, mark=MARK).convert("L"))

        assert pixels.min() < 30

    def test_survives_saving_again_at_half_the_size(self) -> None:
        black = picture(Image.new("RGB", (1024, 768)))

        def again(mark: str) -> np.ndarray:
            half = shown(black, mark=mark).resize((512, 384))
            return np.asarray(
                Image.open(BytesIO(saved(half, "JPEG", quality=70)))
            ).astype(int)

        assert (
            np.abs(again(MARK) - again(MARK.replace("heron-7", "raven-2"))).max() > 100
        )

    def test_is_not_blurred_with_the_picture(self) -> None:
        black = picture(Image.new("RGB", (512, 512)))

        assert np.asarray(shown(black, mark=MARK, blur=True)).max() > 240

    def test_is_none_unless_asked_for(self) -> None:
        black = picture(Image.new("RGB", (512, 512)))

        assert np.asarray(shown(black)).max() < 5
