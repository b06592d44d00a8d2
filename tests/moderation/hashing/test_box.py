"""The content box: found to the pixel behind bars of every kind, and not where there are none."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from moderation.hashing import Box, content_box
from tests.moderation.hashing.pictures import PHOTOGRAPHS, luma, picture, pixels, saved

COLOURS = ("white", "black", "#c08040")
BARS = ((40, 0, 0, 0), (0, 55, 0, 90), (31, 31, 31, 31), (80, 20, 25, 200))


def barred(
    image: Image.Image, bars: tuple[int, int, int, int], colour: str = "black"
) -> tuple[Image.Image, Box]:
    """With bars at the left, the top, the right and the bottom, and where the picture then is."""
    left, top, right, bottom = bars
    width, height = image.size
    canvas = Image.new("RGB", (left + width + right, top + height + bottom), colour)
    canvas.paste(image, (left, top))
    return canvas, Box(top, left, top + height, left + width)


def off(found: Box | None, truth: Box) -> int:
    assert found is not None
    return max(
        abs(found.top - truth.top),
        abs(found.left - truth.left),
        abs(found.bottom - truth.bottom),
        abs(found.right - truth.right),
    )


class TestBars:
    @pytest.mark.parametrize("bars", BARS)
    @pytest.mark.parametrize("colour", COLOURS)
    def test_are_dropped_to_the_pixel(
        self, bars: tuple[int, int, int, int], colour: str
    ) -> None:
        canvas, truth = barred(picture("motorcycle_left.png"), bars, colour)

        assert content_box(pixels(canvas)) == truth

    def test_of_a_few_pixels_are_dropped(self) -> None:
        canvas, truth = barred(picture("motorcycle_left.png"), (5, 7, 3, 4))

        assert content_box(pixels(canvas)) == truth

    @pytest.mark.parametrize("quality", [30, 60, 95])
    @pytest.mark.parametrize("bars", BARS)
    def test_are_dropped_after_a_re_save(
        self, bars: tuple[int, int, int, int], quality: int
    ) -> None:
        canvas, truth = barred(picture("motorcycle_left.png"), bars)

        assert off(content_box(pixels(saved(canvas, quality))), truth) <= 1

    @pytest.mark.parametrize("scale", [0.4, 0.77, 1.9])
    def test_are_dropped_in_another_size(self, scale: float) -> None:
        canvas, truth = barred(picture("motorcycle_left.png"), (80, 120, 80, 60))
        sides = [round(side * scale) for side in canvas.size]

        found = content_box(pixels(saved(canvas.resize(sides))))

        scaled = Box(
            *(
                round(edge * scale)
                for edge in (truth.top, truth.left, truth.bottom, truth.right)
            )
        )
        assert off(found, scaled) <= 2

    def test_with_text_and_icons_are_dropped(self) -> None:
        canvas, truth = barred(picture("china.jpg"), (0, 160, 0, 120), "white")
        draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(30)
        draw.text((90, 20), "some.body_99\nlook who it is", "black", font)
        draw.ellipse((10, 20, 74, 84), fill="red")
        for left in range(20, 220, 60):
            draw.rectangle((left, truth.bottom + 40, left + 36, truth.bottom + 80))

        assert off(content_box(pixels(saved(canvas))), truth) <= 1

    def test_of_two_colours_one_after_the_other_are_dropped(self) -> None:
        inner, _ = barred(picture("china.jpg"), (0, 60, 0, 60), "white")
        canvas, truth = barred(inner, (0, 40, 0, 40), "#075e54")

        found = content_box(pixels(saved(canvas)))

        assert off(found, Box(100, 0, truth.bottom - 60, truth.right)) <= 1

    def test_are_found_in_luma_where_they_are_in_colours(self) -> None:
        canvas, truth = barred(picture("coffee.png"), (20, 90, 20, 90), "white")

        assert content_box(luma(canvas)) == content_box(pixels(canvas)) == truth

    def test_cut_gives_the_picture_back(self) -> None:
        image = picture("coffee.png")
        canvas, truth = barred(image, (33, 44, 55, 66))

        assert np.array_equal(truth.cut(pixels(canvas)), pixels(image))


class TestNoBox:
    @pytest.mark.parametrize("name", sorted({*PHOTOGRAPHS} - {"retina.jpg"}))
    def test_is_cut_out_of_a_photograph(self, name: str) -> None:
        for image in (picture(name), ImageOps.mirror(saved(picture(name), 60))):
            assert content_box(pixels(image)) is None

    def test_is_cut_at_a_horizon(self) -> None:
        sky = np.linspace(200, 230, 300)[:, None] + np.zeros((300, 600))
        sea = np.random.default_rng(1).normal(90, 25, (300, 600))
        levels = np.concatenate((sky, sea)).clip(0, 255).astype(np.uint8)
        hills = Image.fromarray(levels)
        ImageDraw.Draw(hills).polygon((0, 300, 150, 160, 400, 300), fill=60)

        assert content_box(luma(hills)) is None

    @pytest.mark.parametrize("side", [60, 63])
    def test_is_smaller_than_64_pixels(self, side: int) -> None:
        canvas, _ = barred(picture().resize((side, side)), (0, 60, 0, 60))

        assert content_box(pixels(canvas)) is None

    def test_is_less_than_a_fifth_of_a_side(self) -> None:
        canvas, _ = barred(picture().resize((640, 150)), (0, 400, 0, 400))

        assert content_box(pixels(canvas)) is None

    @pytest.mark.parametrize("size", [(1, 1), (4, 300), (300, 4), (64, 64), (900, 700)])
    def test_is_in_a_blank(self, size: tuple[int, int]) -> None:
        assert content_box(pixels(Image.new("RGB", size, "#808080"))) is None

    @pytest.mark.parametrize("size", [(1, 1), (3, 90), (90, 3), (65, 65), (129, 700)])
    def test_is_in_noise(self, size: tuple[int, int]) -> None:
        noise = np.random.default_rng(1).integers(0, 256, size, np.uint8)

        assert content_box(noise) is None

    def test_is_found_in_a_page_of_text(self) -> None:
        page = Image.new("RGB", (600, 800), "white")
        text = "\n".join(["what is written here tells nothing"] * 30)
        ImageDraw.Draw(page).text((20, 20), text, "black", ImageFont.load_default(18))

        assert content_box(pixels(saved(page))) is None
