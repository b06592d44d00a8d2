"""The one canonical picture of some bytes: RGB, upright, on white (in the sandbox).

Browser and server must hash the same pixels, so this does what a browser's canvas does
with `colorSpaceConversion: "none"`: EXIF orientation applied, alpha painted on white,
colour profiles ignored, 16 bits cut to 8.
"""

import copy
import struct
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Final

# Pillow would import some of these when a picture first needs them: too late, in here.
from PIL import (
    GifImagePlugin,
    Image,
    ImageChops,
    ImagePalette,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

LOADED: Final = (
    GifImagePlugin,
    ImagePalette,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    copy,
)
Image.preinit()

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
HEADER: Final = struct.Struct("<BxxxII")  # outcome, width, height; then the rows
DONE, DAMAGED, TOO_MANY_PIXELS = range(3)
MAX_PIXELS: Final = 40_000_000
STRIPE_BYTES: Final = 1 << 18

ORIENTATION: Final = 0x0112
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class TooManyPixels(Exception):  # noqa: N818 a refusal, not a fault
    """The header announces more pixels than we decode."""


BOMBS: Final = (
    TooManyPixels,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def answer(data: bytes) -> tuple[int, Iterable[bytes]]:
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("ignore")
    # Between once and twice the limit Pillow only warns.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        picture = canonical(data)
    except BOMBS:
        return refusal(TOO_MANY_PIXELS)
    except (MemoryError, ImportError):
        raise
    except Exception:  # hostile bytes make Pillow raise nearly anything
        return refusal(DAMAGED)
    width, height = picture.size
    return HEADER.size + 3 * width * height, stripes(picture)


def refusal(outcome: int) -> tuple[int, Iterable[bytes]]:
    return HEADER.size, [HEADER.pack(outcome, 0, 0)]


def stripes(picture: Image.Image) -> Iterator[bytes]:
    """Header and rows, a few at a time: a second whole copy would not fit in memory."""
    width, height = picture.size
    yield HEADER.pack(DONE, width, height)
    step = max(1, STRIPE_BYTES // (3 * width))
    for top in range(0, height, step):
        yield picture.crop((0, top, width, min(top + step, height))).tobytes()


def canonical(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        check_size(image)
        turn = orientation(image)
        image.load()
        check_size(image)  # a GIF frame may enlarge its screen
        flat = on_white(image, sixteen_bit=image.format == "PNG" and data[24] == 16)
    return flat.transpose(TURNS[turn]) if turn in TURNS else flat


def check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise TooManyPixels


def orientation(image: Image.Image) -> int:
    """What browsers apply: EXIF, never XMP, and nothing in WebP."""
    block = image.info.get("exif")
    if block is None or image.format == "WEBP":
        return 1
    exif = Image.Exif()
    try:
        exif.load(block)
        return int(exif.get(ORIENTATION, 1))
    except (MemoryError, ImportError):
        raise
    except Exception:  # browsers show a picture with a damaged EXIF block as it lies
        return 1


def on_white(image: Image.Image, *, sixteen_bit: bool) -> Image.Image:
    if image.mode == "I;16":
        return on_white_from_16_bit_grey(image)
    if sixteen_bit and isinstance(image.info.get("transparency"), tuple):
        # The pixels were cut to 8 bits; the transparent colour was not.
        image.info["transparency"] = tuple(
            value >> 8 for value in image.info["transparency"]
        )
    if not image.has_transparency_data:
        return image.convert("RGB")
    layers = image if image.mode == "RGBA" else image.convert("RGBA")
    return painted(layers, layers.getchannel("A"))


def on_white_from_16_bit_grey(image: Image.Image) -> Image.Image:
    """High bytes only: Pillow's own conversion clips everything above 255 to white."""
    raw = image.tobytes()
    high = Image.frombytes("L", image.size, raw[1::2])
    clear = image.info.get("transparency")
    if clear is None:
        return high.convert("RGB")
    low = Image.frombytes("L", image.size, raw[0::2])
    differs = ImageChops.lighter(
        not_equal(high, clear >> 8), not_equal(low, clear & 0xFF)
    )
    return painted(high, differs)


def not_equal(band: Image.Image, value: int) -> Image.Image:
    return band.point([0 if level == value else 255 for level in range(256)])


def painted(layers: Image.Image, alpha: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", layers.size, (255, 255, 255))
    canvas.paste(layers.convert("RGB") if layers.mode != "RGBA" else layers, mask=alpha)
    return canvas
