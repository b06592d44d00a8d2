"""The copy of a picture that a reviewer is shown; the original is never sent (T-37)."""

from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from moderation.media.decode import Picture

# So few cells across that no face or text survives them; the blur only hides their edges.
BLUR_CELLS: Final = 24
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
MIN_TEXT_SIZE: Final = 12
QUALITY: Final = 80


def derivative(
    picture: Picture, *, blur: bool, grey: bool, max_side: int = 1024, mark: str = ""
) -> bytes:
    """A WebP without metadata, no side above `max_side`, `mark` written below right."""
    image = Image.fromarray(picture.pixels)
    scale = min(1.0, max_side / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = _blurred(image, size) if blur else _resized(image, size)
    if grey:
        image = image.convert("L").convert("RGB")
    if mark:
        image = _marked(image, mark)
    out = BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=1)
    return out.getvalue()


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=1.5)


def _blurred(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    cell = max(size) / BLUR_CELLS
    cells = (max(1, round(size[0] / cell)), max(1, round(size[1] / cell)))
    small = image.resize(cells, Image.Resampling.BOX)
    large = small.resize(size, Image.Resampling.BICUBIC)
    return large.filter(ImageFilter.GaussianBlur(cell / 2))


def _marked(image: Image.Image, mark: str) -> Image.Image:
    """White on black, to be read on any picture, also after it is saved again.

    A picture too small for its mark gets a larger canvas: a mark is never cut.
    """
    size = max(MIN_TEXT_SIZE, max(image.size) // 40)
    font = ImageFont.load_default(size)
    width, height = round(font.getlength(mark)) + size, size + size // 2
    canvas = image
    if width > image.width or 2 * height > image.height:
        room = (max(width, image.width), image.height + height)
        canvas = Image.new("RGB", room, BLACK)
        canvas.paste(image)
    left, top = canvas.width - width, canvas.height - height
    pen = ImageDraw.Draw(canvas)
    pen.rectangle((left, top, canvas.width, canvas.height), fill=BLACK)
    middle = (left + width // 2, top + height // 2)
    pen.text(middle, mark, fill=WHITE, font=font, anchor="mm")
    return canvas
