"""The awkward files of the field: each is within 10 bits of the plain picture, or refused by name."""

import zlib
from collections.abc import Callable
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from moderation.hashing import pdq
from moderation.media import MediaRefused, decode, decode_luma, frames
from tests.moderation.media.files import (
    HEIC,
    one_bit_png,
    png,
    saved,
    shipped,
    turned_by_exif,
    with_chunk,
)
from tests.moderation.media.videos import (
    animation,
    gif,
    lying,
    scenes,
    sound_only,
    video,
)

MOST = 10
PLAIN = shipped().crop((60, 0, 380, 320))
UNDONE = {  # what brings a picture back to what the orientation makes upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


PLAIN_HASH = pdq(np.asarray(PLAIN)).hash


def distance(pixels: np.ndarray, plain: Image.Image | None = None) -> int:
    one = pdq(pixels).hash
    two = PLAIN_HASH if plain is None else pdq(np.asarray(plain)).hash
    return (int.from_bytes(one) ^ int.from_bytes(two)).bit_count()


def refusal(read: Callable[[bytes], object], data: bytes) -> str:
    with pytest.raises(MediaRefused) as caught:
        read(data)
    return caught.value.code


def sixteen_bit(colour: int) -> bytes:
    """Values as a scanner gives them: the low bytes are not the high ones again."""
    image = PLAIN.convert("L") if colour == 0 else PLAIN
    values = np.asarray(image).astype(np.uint16) * 256 + 137
    rows = (row.astype(">u2").tobytes() for row in values)
    return png(*PLAIN.size, 16, colour, rows)


def turned(orientation: int, format: str) -> bytes:
    undone = UNDONE.get(orientation)
    stored = PLAIN if undone is None else PLAIN.transpose(undone)
    return turned_by_exif(stored, orientation, format)


def with_zip(data: bytes) -> bytes:
    tail = BytesIO()
    with ZipFile(tail, "w") as archive:
        archive.writestr("run.js", "alert(1)")
    return data + tail.getvalue()


PICTURES = {
    "JPEG q85": lambda: saved(PLAIN, "JPEG", quality=85),
    "JPEG q20": lambda: saved(PLAIN, "JPEG", quality=20),
    "progressive JPEG": lambda: saved(PLAIN, "JPEG", progressive=True, quality=85),
    "JPEG 4:4:4": lambda: saved(PLAIN, "JPEG", subsampling=0, quality=85),
    "grey JPEG": lambda: saved(PLAIN.convert("L"), "JPEG", quality=85),
    "CMYK JPEG": lambda: saved(PLAIN.convert("CMYK"), "JPEG", quality=85),
    "RGB JPEG": lambda: saved(PLAIN, "JPEG", keep_rgb=True, quality=85),
    "RGB PNG": lambda: saved(PLAIN, "PNG"),
    "RGBA PNG": lambda: saved(PLAIN.convert("RGBA"), "PNG"),
    "grey PNG": lambda: saved(PLAIN.convert("L"), "PNG"),
    "grey and alpha PNG": lambda: saved(PLAIN.convert("LA"), "PNG"),
    "palette PNG": lambda: saved(PLAIN.quantize(256), "PNG"),
    "1-bit PNG": lambda: saved(PLAIN.convert("1"), "PNG"),
    "16-bit grey PNG": lambda: sixteen_bit(0),
    "16-bit RGB PNG": lambda: sixteen_bit(2),
    "GIF": lambda: saved(PLAIN, "GIF"),
    "WebP": lambda: saved(PLAIN, "WEBP", quality=80),
    "AVIF": lambda: saved(PLAIN, "AVIF", quality=70),
    "HEIC": (HEIC / "astronaut.heic").read_bytes,
    "animated GIF": lambda: animation([PLAIN, PLAIN.rotate(9)], "GIF"),
    "animated WebP": lambda: animation([PLAIN, PLAIN.rotate(9)], "WEBP"),
    "animated AVIF": lambda: animation([PLAIN, PLAIN.rotate(9)], "AVIF"),
    "APNG": lambda: animation([PLAIN, PLAIN.rotate(9)], "PNG"),
    "JPEG with a ZIP behind": lambda: with_zip(saved(PLAIN, "JPEG", quality=85)),
    "JPEG with HTML behind": lambda: saved(PLAIN, "JPEG") + b"<html><script></html>",
    "PNG with a JPEG behind": lambda: saved(PLAIN, "PNG") + saved(PLAIN, "JPEG"),
    **{
        f"EXIF {orientation} {format}": lambda o=orientation, f=format: turned(o, f)
        for orientation in range(1, 9)
        for format in ("JPEG", "PNG")
    },
}


@pytest.mark.parametrize("row", PICTURES)
def test_pictures(row: str) -> None:
    data = PICTURES[row]()

    assert distance(decode(data).pixels) <= MOST
    assert distance(decode_luma(data).pixels) <= MOST
    assert distance(next(frames(data)).pixels) <= MOST


@pytest.mark.parametrize("side", [1, 2])
def test_too_small_to_say_anything(side: int) -> None:
    data = saved(PLAIN.resize((side, side)), "PNG")

    assert decode(data).pixels.shape == (side, side, 3)
    assert pdq(decode_luma(data).pixels).quality == 0


JPEG = saved(PLAIN, "JPEG")
REFUSED_PICTURES = {
    "half a JPEG": (lambda: JPEG[: len(JPEG) // 2], "truncated"),
    "a PNG's header and a JPEG": (lambda: b"\x89PNG\r\n\x1a\n" + JPEG, "truncated"),
    "HTML with a JPEG inside": (lambda: b"<html>" + JPEG, "not_an_image"),
    "200 megapixels in a header": (
        lambda: png(20_000, 10_000, 8, 2, []),
        "too_many_pixels",
    ),
    "a PNG that unpacks to 112 MB": (
        lambda: one_bit_png(30_000, 30_000),
        "too_many_pixels",
    ),
    "a PNG whose text unpacks to more than may be": (
        lambda: _with_text(64 << 20),
        "truncated",
    ),
    "half a HEIC": (
        lambda: (HEIC / "astronaut.heic").read_bytes()[:5000],
        "truncated",
    ),
    "a video": (lambda: video(scenes(1)), "is_video"),
}


def _with_text(length: int) -> bytes:

    text = b"Comment\0\0" + zlib.compress(bytes(length))
    return with_chunk(saved(PLAIN, "PNG"), b"zTXt", text)


@pytest.mark.parametrize("row", REFUSED_PICTURES)
def test_pictures_that_are_refused(row: str) -> None:
    make, code = REFUSED_PICTURES[row]
    data = make()

    assert refusal(decode, data) == code
    assert refusal(decode_luma, data) == code


def test_50_000_frames() -> None:
    data = gif(50_000)

    assert decode(data).pixels.shape == (1, 1, 3)
    assert refusal(lambda d: list(frames(d)), data) == "too_many_frames"


FILMS = {
    "H.264": {},
    "H.265": {"codec": "libx265"},
    "MPEG-4": {"codec": "mpeg4"},
    "VP9": {"codec": "libvpx-vp9", "format": "webm"},
    "with sound": {"sound": True},
}


@pytest.mark.parametrize("row", FILMS)
def test_videos(row: str) -> None:
    images = scenes(4, (320, 240))

    found = list(frames(video(images, **FILMS[row])))

    for frame, image in zip(found, images, strict=True):
        assert distance(frame.pixels, image) <= MOST


def test_video_that_a_phone_took_upright() -> None:
    (image,) = scenes(1, (240, 320))
    stored = image.transpose(Image.Transpose.ROTATE_90)

    (frame,) = frames(lying(video([stored]), (0, 1, -1, 0)))

    assert distance(frame.pixels, image) <= MOST


def test_video_with_noise_in_it() -> None:
    """Some of its frames may be gone or garbled; the others are as they were."""
    images = scenes(8, (320, 240))
    data = bytearray(video(images, codec="libvpx", format="webm"))
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)

    found = list(frames(bytes(data)))

    assert [distance(found[n].pixels, images[n]) <= MOST for n in (0, -1)] == [True] * 2


NO_LENGTH = "frag_keyframe+empty_moov"
REFUSED_FILMS = {
    "without its index": (lambda: video(scenes(2))[:2000], "truncated"),
    "sound alone": (sound_only, "no_frames"),
    "no frame": (
        lambda: video(scenes(1), movflags=NO_LENGTH).split(b"moof")[0][:-4],
        "no_frames",
    ),
    "an hour": (lambda: video(scenes(2), times=[0, 3_600_000]), "too_long"),
}


@pytest.mark.parametrize("row", REFUSED_FILMS)
def test_videos_that_are_refused(row: str) -> None:
    make, code = REFUSED_FILMS[row]

    assert refusal(lambda data: list(frames(data)), make()) == code
