"""Every input that is no picture for us gets its own answer, and costs nobody else anything."""

import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from moderation.media import MAX_BYTES, MediaRefused, decode
from tests.moderation.media.files import (
    HEIC,
    SHIPPED,
    gif_with_huge_frame,
    one_bit_png,
    png,
    saved,
    shipped,
)
from tests.moderation.media.heic.grid import grid

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>'


def refusal(data: bytes) -> str:
    with pytest.raises(MediaRefused) as caught:
        decode(data)
    return caught.value.code


class TestRefusals:
    def test_nothing(self) -> None:
        assert refusal(b"") == "empty"

    def test_too_many_bytes(self) -> None:
        assert refusal(b"\xff\xd8\xff" + bytes(MAX_BYTES)) == "too_large"

    @pytest.mark.parametrize(
        "data", [b"This is a letter, named photo.jpg", bytes(1000), b"<html><p>GIF89a"]
    )
    def test_something_else(self, data: bytes) -> None:
        assert refusal(data) == "not_an_image"

    @pytest.mark.parametrize(
        "data",
        [
            SVG,
            b"\n<SVG xmlns='http://www.w3.org/2000/svg'/>",
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            b"%PDF-1.7\n",
            b"\0\0\0\x18ftypcrx \0\0\0\1crx isom"[:20],
            b"RIFF\0\0\0\0AVI LIST",
            saved(Image.new("RGB", (9, 9)), "BMP"),
            saved(Image.new("RGB", (9, 9)), "TIFF"),
            saved(Image.new("RGB", (9, 9)), "ICO"),
        ],
    )
    def test_media_of_another_kind(self, data: bytes) -> None:
        assert refusal(data) == "unsupported"

    @pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
    @pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
    def test_a_file_that_ends_early(self, format: str, share: float) -> None:
        data = saved(shipped(), format)

        assert refusal(data[: int(share * len(data))]) == "truncated"

    @pytest.mark.parametrize(
        "beginning", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"]
    )
    def test_a_beginning_and_then_noise(self, beginning: bytes) -> None:
        assert refusal(beginning + b"nothing of the kind" * 9) == "truncated"

    def test_another_format_behind_our_beginning(self) -> None:
        assert refusal(b"RIFF\0\0\0\0WEBP" + SVG) == "truncated"

    def test_no_width(self) -> None:
        assert refusal(png(0, 9, 8, 0, [])) == "truncated"


class TestBombs:
    def test_of_900_megapixels(self) -> None:
        assert refusal(one_bit_png(30_000, 30_000)) == "too_many_pixels"

    def test_just_above_the_limit_where_pillow_only_warns(self) -> None:
        assert refusal(one_bit_png(6_400, 6_251)) == "too_many_pixels"

    def test_of_a_header_alone(self) -> None:
        assert refusal(png(60_000, 60_000, 8, 2, [])) == "too_many_pixels"

    def test_of_a_frame_larger_than_its_screen(self) -> None:
        assert refusal(gif_with_huge_frame()) == "too_many_pixels"

    def test_of_a_canvas(self) -> None:
        extended = b"VP8X\x0a\0\0\0\0\0\0\0" + b"\xff\x3f\0" * 2

        assert refusal(b"RIFF\x16\0\0\0WEBP" + extended) == "too_many_pixels"

    @pytest.mark.parametrize("format", ["HEIC", "AVIF"])
    def test_of_a_box_that_says_how_large_a_picture_is(self, format: str) -> None:
        heic = (HEIC / "astronaut.heic").read_bytes()
        data = heic if format == "HEIC" else saved(shipped(), "AVIF")
        at = data.index(b"ispe") + 8

        bomb = data[:at] + struct.pack(">II", 8_000, 6_000) + data[at + 8 :]

        assert refusal(bomb) == "too_many_pixels"

    def test_of_a_grid_of_tiles(self) -> None:
        tile = (HEIC / "astronaut.heic").read_bytes()

        assert refusal(grid(tile, columns=50, side=1_000)) == "too_many_pixels"

    def test_below_the_limit_is_a_picture(self) -> None:
        picture = decode(one_bit_png(6_240, 6_250))

        assert (picture.width, picture.height) == (6_240, 6_250)
        assert not picture.pixels.any()

    def test_do_not_disturb_the_jobs_beside_them(self) -> None:
        good = (SHIPPED / "coffee.png").read_bytes()
        bomb = png(60_000, 60_000, 8, 2, [])

        def outcome(data: bytes) -> str:
            try:
                return decode(data).kind
            except MediaRefused as refused:
                return refused.code

        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(outcome, [good, bomb] * 3))

        assert outcomes == ["png", "too_many_pixels"] * 3


def test_a_refusal_says_what_to_do_and_nothing_of_the_file() -> None:
    with pytest.raises(MediaRefused) as caught:
        decode(SVG)

    assert str(caught.value) == (
        "This format is not accepted. Send JPEG, PNG, WebP, GIF, AVIF, HEIC or a video (MP4, MOV, WebM, MKV)."
    )
