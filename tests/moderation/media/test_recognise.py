"""A format is told by the first bytes, never by a name, and nothing is parsed for it."""

import pytest
from PIL import Image

from moderation.media import MAX_BYTES, MediaRefused, is_moving, recognise
from tests.moderation.media.files import HEIC, saved
from tests.moderation.media.videos import animation, scenes


def iso(major: bytes, *others: bytes) -> bytes:
    """The first box of a file of ISO 14496-12, and a little more."""
    body = major + bytes(4) + b"".join(others)
    return (len(body) + 8).to_bytes(4) + b"ftyp" + body + bytes(40)


def matroska(name: bytes) -> bytes:
    return b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\x82" + name + bytes(40)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe1", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (iso(b"avif", b"mif1"), "avif"),
        (iso(b"mif1", b"miaf", b"avif"), "avif"),
        (iso(b"avis", b"avif"), "avif"),
        (iso(b"heic", b"mif1"), "heic"),
        (iso(b"mif1", b"heic"), "heic"),
        (iso(b"heix"), "heic"),
        (iso(b"isom", b"iso2", b"avc1", b"mp41"), "mp4"),
        (iso(b"mp42", b"isom"), "mp4"),
        (iso(b"XAVC", b"mp42"), "mp4"),
        (iso(b"3gp4"), "mp4"),
        (iso(b"qt  "), "mov"),
        (b"\0\0\0\x08wide\0\0\0\x08mdat", "mov"),
        (b"\0\0\1\0moov", "mov"),
        (matroska(b"\x84webm"), "webm"),
        (matroska(b"\x88matroska"), "mkv"),
    ],
)
def test_what_we_take(data: bytes, kind: str) -> None:
    assert recognise(data) == kind


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"GIF89a" + bytes(MAX_BYTES), "too_large"),
        (iso(b"crx ", b"crx "), "unsupported"),
        (iso(b"mif1", b"miaf"), "unsupported"),
        (matroska(b"\x85other"), "unsupported"),
        (b"RIFF\0\0\0\0AVI LIST", "unsupported"),
        (b"FLV\1\5", "unsupported"),
        (b"OggS\0\2", "unsupported"),
        (b"0&\xb2u\x8ef\xcf\x11", "unsupported"),
        (b"\0\0\1\xba", "unsupported"),
        (b"photo.jpg", "not_an_image"),
        (b"<html>ftypisom", "not_an_image"),
        (b"\0\0\0\0", "not_an_image"),
    ],
)
def test_what_we_do_not(data: bytes, code: str) -> None:
    with pytest.raises(MediaRefused) as caught:
        recognise(data)
    assert caught.value.code == code


def test_a_list_of_brands_that_claims_to_be_endless_ends() -> None:
    data = b"\xff\xff\xff\xffftypnope" + bytes(4) + b"also" * 1000 + b"isom"

    with pytest.raises(MediaRefused):
        recognise(data)


class TestMoving:
    @pytest.mark.parametrize("format", ["WEBP", "AVIF", "PNG", "GIF", "JPEG"])
    def test_is_not_what_is_only_transparent(self, format: str) -> None:
        mode = "RGB" if format == "JPEG" else "RGBA"

        assert not is_moving(saved(Image.new(mode, (9, 9)), format))

    def test_is_not_heic(self) -> None:
        assert not is_moving((HEIC / "astronaut.heic").read_bytes())

    def test_is_asked_of_the_jail_where_the_beginning_does_not_tell(self) -> None:
        png = saved(scenes(1)[0], "PNG")

        assert not is_moving(png + b"acTL")
        assert is_moving(animation(scenes(2), "PNG"))

    def test_of_a_broken_animation_is_refused(self) -> None:
        with pytest.raises(MediaRefused) as caught:
            is_moving(b"GIF89a" + bytes(9))
        assert caught.value.code == "truncated"
