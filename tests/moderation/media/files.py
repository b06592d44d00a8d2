"""Picture files made for one test each: honest ones, odd ones, bombs."""

import struct
import zlib
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path

import skimage
from PIL import Image

SHIPPED = Path(skimage.__file__).parent / "data"
HEIC = Path(__file__).with_name("heic")  # nobody here can write it: see make.py there
ORIENTATION = 0x0112


def shipped(name: str = "astronaut.png") -> Image.Image:
    """A benign picture that an installed package ships."""
    return _opened(name).copy()


@cache
def _opened(name: str) -> Image.Image:
    with Image.open(SHIPPED / name) as image:
        image.load()
    return image


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    out = BytesIO()
    if format == "PNG":
        options.setdefault("compress_level", 1)
    image.save(out, format, **options)
    return out.getvalue()


def turned_by_exif(image: Image.Image, orientation: int, format: str) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return saved(image, format, exif=exif, quality=95)


def png(
    width: int, height: int, depth: int, colour: int, rows: Iterable[bytes]
) -> bytes:
    """A PNG written by hand: its header need not be what Pillow would write."""
    squeeze = zlib.compressobj(1)
    pixels = b"".join(squeeze.compress(b"\0" + row) for row in rows) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND")
    )


PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, body: bytes = b"") -> bytes:
    check = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + check


def with_chunk(data: bytes, name: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk, before its pixels."""
    at = data.index(b"IDAT") - 4
    return data[:at] + chunk(name, body) + data[at:]


def one_bit_png(width: int, height: int) -> bytes:
    """All black, and very small for its size: 1 MB for 900 megapixels."""
    row = bytes(-(-width // 8))
    return png(width, height, 1, 0, (row for _ in range(height)))


def gif_with_huge_frame() -> bytes:
    """A screen of one pixel, and a frame that says it is 60,000 x 60,000."""
    screen = struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0)
    return b"GIF89a" + screen + frame + b"\x02\x02\x44\x01\0;"
