"""One canonical picture, whatever the file that carries it."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from moderation.media import Luma, Picture, decode, decode_luma
from tests.moderation.media.files import (
    HEIC,
    SHIPPED,
    png,
    saved,
    shipped,
    turned_by_exif,
    with_chunk,
)
from tests.moderation.media.heic.grid import grid

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


def upright(image: Image.Image, orientation: int) -> np.ndarray:
    """What a viewer shows of `image` when its EXIF says `orientation`."""
    told = Image.open(BytesIO(turned_by_exif(image, orientation, "PNG")))
    return np.asarray(ImageOps.exif_transpose(told))


def close(picture: Picture | Luma, expected: np.ndarray) -> bool:
    """The same size, and apart by no more than what a lossy format loses."""
    if picture.pixels.shape != expected.shape:
        return False
    return bool(np.abs(picture.pixels.astype(int) - expected).mean() < 6)


def corner(picture: Picture) -> tuple[int, ...]:
    return tuple(picture.pixels[0, 0].tolist())


class TestFormats:
    @pytest.mark.parametrize(
        ("format", "kind"),
        [
            ("PNG", "png"),
            ("JPEG", "jpeg"),
            ("GIF", "gif"),
            ("WEBP", "webp"),
            ("AVIF", "avif"),
        ],
    )
    def test_are_recognised_by_content(self, format: str, kind: str) -> None:
        image = shipped()

        picture = decode(saved(image, format))

        assert (picture.kind, picture.width, picture.height) == (kind, *image.size)

    def test_of_a_phone_in_heic(self) -> None:
        picture = decode((HEIC / "astronaut.heic").read_bytes())

        assert picture.kind == "heic"
        assert close(picture, np.asarray(shipped().crop((60, 0, 380, 320))))

    def test_of_a_phone_in_heic_are_put_together_from_tiles(self) -> None:
        tile = (HEIC / "astronaut.heic").read_bytes()

        picture = decode(grid(tile, columns=3, side=320))

        expected = np.hstack([decode(tile).pixels] * 3)
        assert np.array_equal(picture.pixels, expected)

    def test_lose_nothing_where_the_file_lost_nothing(self) -> None:
        image = shipped("coffee.png")

        picture = decode(saved(image, "WEBP", lossless=True))

        assert np.array_equal(picture.pixels, np.asarray(image))

    def test_of_a_phone_with_two_pictures_in_one_jpeg(self) -> None:
        first, second = shipped(), shipped("chelsea.png")

        picture = decode(saved(first, "MPO", save_all=True, append_images=[second]))

        assert (picture.kind, picture.width, picture.height) == ("jpeg", *first.size)

    def test_an_animation_is_its_first_frame(self) -> None:
        first, second = (Image.new("RGB", (9, 9), c) for c in (RED, GREEN))

        picture = decode(saved(first, "GIF", save_all=True, append_images=[second]))

        assert corner(picture) == RED

    def test_a_still_with_frames_is_its_still(self) -> None:
        first, second = (Image.new("RGB", (9, 9), c) for c in (RED, GREEN))

        picture = decode(saved(first, "PNG", save_all=True, append_images=[second]))

        assert corner(picture) == RED

    def test_every_shipped_picture(self) -> None:
        names = [path for path in SHIPPED.iterdir() if path.suffix in (".png", ".jpg")]

        for path in names:
            with Image.open(path) as image:
                assert decode(path.read_bytes()).pixels.shape[1::-1] == image.size


class TestOrientation:
    @pytest.mark.parametrize("format", ["JPEG", "PNG"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_is_applied(self, orientation: int, format: str) -> None:
        image = shipped("coffee.png").crop((0, 0, 96, 64))
        data = turned_by_exif(image, orientation, format)

        with Image.open(BytesIO(data)) as told:
            expected = np.asarray(ImageOps.exif_transpose(told).convert("RGB"))
        assert np.array_equal(decode(data).pixels, expected)

    def test_in_webp_is_left_alone_as_browsers_leave_it(self) -> None:
        image = shipped().crop((0, 0, 96, 64))

        picture = decode(turned_by_exif(image, 6, "WEBP"))

        assert (picture.width, picture.height) == (96, 64)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_in_avif_is_applied_once(self, orientation: int) -> None:
        image = shipped("coffee.png").crop((0, 0, 96, 64))

        picture = decode(turned_by_exif(image, orientation, "AVIF"))

        assert close(picture, upright(image, orientation))

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_in_heic_is_applied_once(self, orientation: int) -> None:
        data = (HEIC / f"turn_{orientation}.heic").read_bytes()

        image = shipped("coffee.png").resize((96, 64))

        assert close(decode(data), upright(image, orientation))
        assert close(decode_luma(data), upright(image.convert("L"), orientation))

    @pytest.mark.parametrize(
        "block", [b"Exif\0\0nonsense", b"Exif\0\0", b"II*\0\xff\xff\xff\xff"]
    )
    def test_a_damaged_block_turns_nothing(self, block: bytes) -> None:
        image = shipped().crop((0, 0, 96, 64))

        picture = decode(saved(image, "JPEG", exif=block))

        assert (picture.width, picture.height) == (96, 64)


class TestColours:
    def test_four_inks_become_three_lights(self) -> None:
        image = shipped().convert("CMYK")

        picture = decode(saved(image, "JPEG", quality=100))

        difference = picture.pixels.astype(int) - np.asarray(image.convert("RGB"))
        assert np.abs(difference).mean() < 2

    def test_a_profile_changes_nothing(self) -> None:
        image = shipped("coffee.png")

        plain, profiled = (
            saved(image, "PNG", icc_profile=p) for p in (None, b"x" * 200)
        )

        assert np.array_equal(decode(plain).pixels, decode(profiled).pixels)

    def test_sixteen_bit_grey_keeps_its_high_bytes(self) -> None:
        values = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
        data = png(16, 16, 16, 0, (row.astype(">u2").tobytes() for row in values))

        assert np.array_equal(decode(data).pixels[..., 1], values >> 8)

    def test_sixteen_bit_colour_keeps_its_high_bytes(self) -> None:
        values = np.arange(0, 65536, 256, dtype=np.uint16)[:255].reshape(5, 17, 3)
        data = png(17, 5, 16, 2, (row.astype(">u2").tobytes() for row in values))

        assert np.array_equal(decode(data).pixels, values >> 8)

    def test_one_bit_is_black_and_white(self) -> None:
        picture = decode(png(8, 1, 1, 0, [b"\x0f"]))

        assert picture.pixels[0, :, 0].tolist() == [0] * 4 + [255] * 4

    def test_grey_becomes_three_equal_lights(self) -> None:
        pixels = decode(saved(shipped("camera.png"), "JPEG")).pixels

        assert np.array_equal(pixels[..., 0], pixels[..., 2])


class TestTransparency:
    """What is transparent is white, as on a page."""

    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    @pytest.mark.parametrize("format", ["PNG", "WEBP"])
    def test_of_an_alpha_channel(self, mode: str, format: str) -> None:
        image = Image.new(mode, (9, 9), 0)

        assert corner(decode(saved(image, format, lossless=True))) == WHITE

    def test_of_an_alpha_channel_in_avif_or_heic(self) -> None:
        heic = (HEIC / "half_clear.heic").read_bytes()

        for data in (saved(Image.new("RGBA", (9, 9), 0), "AVIF"), heic):
            assert corner(decode(data)) == WHITE

    def test_in_part_is_mixed(self) -> None:
        image = Image.new("RGBA", (9, 9), (0, 0, 0, 51))

        assert corner(decode(saved(image, "PNG"))) == (204, 204, 204)

    @pytest.mark.parametrize("format", ["PNG", "GIF"])
    def test_of_a_palette_entry(self, format: str) -> None:
        image = shipped().quantize(16)
        clear = image.getpixel((0, 0))

        picture = decode(saved(image, format, transparency=clear))

        assert corner(picture) == WHITE
        assert picture.pixels.min() < 100

    def test_of_palette_entries_in_part(self) -> None:
        image = Image.new("P", (9, 9), 0)
        image.putpalette([0, 0, 0, *RED])

        assert (
            corner(decode(saved(image, "PNG", transparency=b"\x33\xff"))) == (204,) * 3
        )

    @pytest.mark.parametrize(
        ("depth", "colour", "pixels", "clear"),
        [
            (1, 0, b"\x80", b"\0\1"),
            (8, 0, b"\x07\0", b"\0\7"),
            (8, 2, b"\1\2\3\0\0\0", b"\0\1\0\2\0\3"),
            (16, 0, b"\1\2\1\3", b"\1\2"),
            (16, 2, b"\1\2\3\4\5\6\7\7\7\7\7\7", b"\1\2\3\4\5\6"),
        ],
    )
    def test_of_one_colour(
        self, depth: int, colour: int, pixels: bytes, clear: bytes
    ) -> None:
        data = with_chunk(png(2, 1, depth, colour, [pixels]), b"tRNS", clear)

        first, second = decode(data).pixels[0].tolist()

        assert first == [255, 255, 255]
        assert max(second) < 10


def test_a_picture_does_not_show_itself_in_logs() -> None:
    picture = decode(saved(Image.new("RGB", (9, 9), RED), "PNG"))

    assert repr(picture) == "Picture(kind='png')"
