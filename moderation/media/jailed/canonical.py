"""The one canonical picture of some bytes: RGB, upright, on white (in the sandbox).

Browser and server must hash the same pixels, so this does what a browser's canvas does
with `colorSpaceConversion: "none"`: EXIF orientation applied, alpha painted on white,
colour profiles ignored, 16 bits cut to 8.
"""

import copy
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Final

import pi_heif

# Pillow would import some of these when a picture first needs them: too late, in here.
from PIL import (
    AvifImagePlugin,
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

from moderation.media.jailed.answers import MAX_PIXELS
from moderation.media.jailed.threadless import start_no_worker_threads

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
# Nobody may start a thread in here.
start_no_worker_threads()
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pi_heif.register_heif_opener(
    decode_threads=0, thumbnails=False, depth_images=False, aux_images=False
)

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF")

STRIPE_BYTES: Final = 1 << 16
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
# WebP: browsers apply nothing. HEIF: libheif has turned it already.
TURNED_OR_NEVER_TURNED: Final = ("WEBP", "HEIF")


class TooManyPixels(Exception):  # noqa: N818 a refusal, not a fault
    """The header announces more pixels than we decode."""


BOMBS: Final = (
    TooManyPixels,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def opened(data: bytes) -> Image.Image:
    """The picture, with its size checked and no pixel read.

    :raises TooManyPixels: or another of `BOMBS`; anything else says that the file is damaged.
    """
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("ignore")
    # Between once and twice the limit Pillow only warns.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    image = Image.open(BytesIO(data), formats=FORMATS)
    check_size(image)
    return image


def canonical(data: bytes) -> Image.Image:
    return upright(opened(data), data)


def upright(image: Image.Image, data: bytes) -> Image.Image:
    """The canonical form of the frame at which `image` stands; `data` is the whole file."""
    turn = orientation(image)
    flat = flattened(image, data)
    return flat.transpose(TURNS[turn]) if turn in TURNS else flat


def luma(data: bytes) -> Image.Image:
    """The brightness of the canonical picture: a JPEG's own, as stored; else 0.299 R + 0.587 G + 0.114 B, rounded."""
    image = opened(data)
    turn = orientation(image)
    if stores_luma(image):
        image.draft("L", image.size)
        image.load()
        flat = image
    else:
        flat = flattened(image, data)
    grey = flat if flat.mode == "L" else flat.convert("L")
    return grey.transpose(TURNS[turn]) if turn in TURNS else grey


def stores_luma(image: Image.Image) -> bool:
    """Whether a JPEG is in YCbCr or grey, by the rules of libjpeg; not in RGB or with four inks."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return False
    if image.mode == "L":
        return True
    names = bytes(layer[0] for layer in image.layer)
    transform = image.info.get("adobe_transform", names != b"RGB")
    return image.mode == "RGB" and ("jfif" in image.info or bool(transform))


def flattened(image: Image.Image, data: bytes) -> Image.Image:
    image.load()
    check_size(image)  # a GIF frame may enlarge its screen
    return on_white(image, sixteen_bit=image.format == "PNG" and data[24] == 16)


def stripes(picture: Image.Image) -> Iterator[bytes]:
    """Rows, a few at a time: a second whole copy would not fit in memory."""
    width, height = picture.size
    step = max(1, STRIPE_BYTES // (len(picture.getbands()) * width))
    for top in range(0, height, step):
        yield picture.crop((0, top, width, min(top + step, height))).tobytes()


def check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise TooManyPixels


def orientation(image: Image.Image) -> int:
    """What browsers apply: EXIF, never XMP."""
    block = image.info.get("exif")
    if block is None or image.format in TURNED_OR_NEVER_TURNED:
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
