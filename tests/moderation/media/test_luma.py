"""The brightness that hashes look at: the same bits as the whole picture, for less."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import sklearn
from PIL import Image

from moderation.hashing import pdq
from moderation.media import MediaRefused, decode, decode_luma
from tests.moderation.media.files import (
    SHIPPED,
    png,
    saved,
    shipped,
    turned_by_exif,
)

PICTURES = [
    path
    for folder in (SHIPPED, Path(sklearn.__file__).parent / "datasets" / "images")
    for path in sorted(folder.iterdir())
    if path.suffix in (".png", ".jpg", ".gif")
]
# Its patches are as colourful as can be: JPEG leaves the cube of RGB there, and only the way over RGB is cut back.
COLOUR_CHART = "color.png"


def drift(data: bytes) -> int:
    """Bits between the PDQ of the luma and that of the picture."""
    luma, picture = pdq(decode_luma(data).pixels), pdq(decode(data).pixels)
    return (int.from_bytes(luma.hash) ^ int.from_bytes(picture.hash)).bit_count()


def test_there_are_pictures_to_try() -> None:
    assert len(PICTURES) > 25


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
class TestDrift:
    def test_of_a_shipped_picture_is_two_bits_at_most(self, path: Path) -> None:
        assert drift(path.read_bytes()) <= 2

    def test_of_its_jpeg_is_too(self, path: Path) -> None:
        image = Image.fromarray(decode(path.read_bytes()).pixels)

        most = 8 if path.name == COLOUR_CHART else 2
        assert drift(saved(image, "JPEG", quality=85)) <= most


class TestPixels:
    def test_of_a_jpeg_are_its_own_plane_at_full_size(self) -> None:
        image = shipped().crop((0, 0, 203, 101))
        ycbcr = Image.open(
            _file(saved(image, "JPEG", quality=95)), formats=["JPEG"]
        )  # draft: no conversion
        ycbcr.draft("YCbCr", image.size)

        luma = decode_luma(saved(image, "JPEG", quality=95))

        assert luma.kind == "jpeg"
        assert np.array_equal(luma.pixels, np.asarray(ycbcr)[..., 0])

    @pytest.mark.parametrize("format", ["PNG", "WEBP"])
    def test_of_other_kinds_are_the_rounded_weights(self, format: str) -> None:
        image = shipped("coffee.png").crop((0, 0, 96, 64))

        luma = decode_luma(saved(image, format, lossless=True)).pixels

        weighed = np.asarray(image) @ np.array([0.299, 0.587, 0.114])
        assert np.abs(luma - weighed).max() < 0.51

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_are_upright(self, orientation: int) -> None:
        data = turned_by_exif(shipped("coffee.png"), orientation, "JPEG")

        luma, picture = decode_luma(data).pixels, decode(data)

        assert luma.shape == (picture.height, picture.width)
        assert drift(data) <= 2

    def test_of_what_is_transparent_are_white(self) -> None:
        data = saved(Image.new("RGBA", (9, 9), 0), "PNG")

        assert decode_luma(data).pixels.min() == 255

    def test_of_sixteen_bit_grey_are_its_high_bytes(self) -> None:
        values = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
        data = png(16, 16, 16, 0, (row.astype(">u2").tobytes() for row in values))

        assert np.array_equal(decode_luma(data).pixels, values >> 8)


class TestColourSpaces:
    """libjpeg tells them apart by markers; what is no luma is never taken for one."""

    def test_of_four_inks_go_the_whole_way(self) -> None:
        assert drift(saved(shipped().convert("CMYK"), "JPEG", quality=95)) <= 2

    def test_of_grey_is_the_plane(self) -> None:
        image = shipped("camera.png")

        grey = decode_luma(saved(image, "JPEG", quality=100)).pixels

        assert np.abs(grey.astype(int) - np.asarray(image)).max() <= 4

    @pytest.mark.parametrize("named_by", ["names", "adobe"])
    def test_of_red_green_and_blue_go_the_whole_way(self, named_by: str) -> None:
        data = saved(
            Image.new("RGB", (64, 64), (255, 0, 0)), "JPEG", keep_rgb=True, quality=95
        )
        if named_by == "adobe":
            data = _without_names(data)

        assert np.abs(decode_luma(data).pixels.astype(int) - 76).max() <= 1
        assert np.abs(decode(data).pixels[0, 0].astype(int) - [255, 0, 0]).max() <= 1


def _without_names(data: bytes) -> bytes:
    """The same JPEG with components 1, 2, 3 and an Adobe marker that says: no transformation."""
    for old, new in ((b"R", b"\1"), (b"G", b"\2"), (b"B", b"\3")):
        for place in (b"\x11\0", b"\0"):
            data = data.replace(old + place, new + place)
    adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"
    return data[:2] + adobe + data[2:]


def _file(data: bytes) -> BytesIO:
    return BytesIO(data)


class TestRefusals:
    @pytest.mark.parametrize("data", [b"", b"text", b"\xff\xd8\xffnoise" * 9])
    def test_are_those_of_the_picture(self, data: bytes) -> None:
        codes = []
        for function in (decode, decode_luma):
            with pytest.raises(MediaRefused) as caught:
                function(data)
            codes.append(caught.value.code)

        assert codes[0] == codes[1]

    def test_name_a_video_where_a_picture_is_expected(self) -> None:
        with pytest.raises(MediaRefused) as caught:
            decode_luma(b"\0\0\0\x18ftypisom\0\0\2\0isomavc1")

        assert caught.value.code == "is_video"


def test_does_not_show_itself_in_logs() -> None:
    luma = decode_luma(saved(Image.new("L", (9, 9)), "PNG"))

    assert repr(luma) == "Luma(kind='png')"
