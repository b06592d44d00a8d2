"""What people and phones do to a picture before they post it again: from a re-save to a photo of a screen.

Each edit takes a picture and a seeded generator, and gives another picture; `edited` saves that as the JPEG that a
platform would receive. The order of `EDITS` is the order of the tables.
"""

import random
import zlib
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Final

import numpy as np
from PIL import (
    Image,
    ImageChops,
    ImageDraw,
    ImageEnhance,
    ImageFilter,
    ImageFont,
    ImageOps,
)

Edit = Callable[[Image.Image, random.Random], Image.Image]

LONG_SIDE: Final = 900
QUALITY: Final = 85
COLOURS: Final = ("#e8443a", "#f7c948", "#3ab0e8", "#7a4fd0", "#30a860")
PHONE: Final = (1080, 2340)


def edited(name: str, picture: Image.Image, seed: str) -> Image.Image:
    """`picture` after the edit `name`, as read back from the JPEG; the same for the same seed."""
    dice = random.Random(zlib.crc32(f"{seed}|{name}".encode()))  # noqa: S311
    changed = EDITS[name](picture, dice)
    changed.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    return saved(changed, QUALITIES.get(name, QUALITY))


def saved(picture: Image.Image, quality: int, kind: str = "JPEG") -> Image.Image:
    file = BytesIO()
    picture.convert("RGB").save(file, kind, quality=quality)
    return Image.open(file).convert("RGB")


def scaled(picture: Image.Image, share: float) -> Image.Image:
    width, height = (max(1, round(side * share)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _same(picture: Image.Image, _: random.Random) -> Image.Image:
    return picture.copy()


def _resized(share: float) -> Edit:
    return lambda picture, _: scaled(picture, share)


def _turned(how: Image.Transpose) -> Edit:
    return lambda picture, _: picture.transpose(how)


def _webp(picture: Image.Image, _: random.Random) -> Image.Image:
    return saved(picture, 60, "WEBP")


def _shared_twice(picture: Image.Image, _: random.Random) -> Image.Image:
    """Through a messenger and a social network: smaller and coarser each time."""
    return saved(scaled(saved(scaled(picture, 0.8), 60), 0.8), 75)


def _grey(picture: Image.Image, _: random.Random) -> Image.Image:
    return picture.convert("L").convert("RGB")


def _toned(brightness: float, contrast: float, colour: float) -> Edit:
    def tone(picture: Image.Image, _: random.Random) -> Image.Image:
        made = ImageEnhance.Brightness(picture).enhance(brightness)
        made = ImageEnhance.Contrast(made).enhance(contrast)
        return ImageEnhance.Color(made).enhance(colour)

    return tone


def _vignette(picture: Image.Image, _: random.Random) -> Image.Image:
    """A warm filter that darkens the corners."""
    warm = Image.blend(picture, Image.new("RGB", picture.size, "#e0a060"), 0.2)
    light = ImageOps.invert(Image.radial_gradient("L")).resize(picture.size)
    dark = ImageEnhance.Brightness(warm).enhance(0.35)
    return Image.composite(warm, dark, light.point(lambda level: min(255, level * 2)))


def _blurred(picture: Image.Image, _: random.Random) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 400))


def _noisy(picture: Image.Image, dice: random.Random) -> Image.Image:
    grain = np.random.default_rng(dice.getrandbits(32)).normal(
        0, 10, picture.size[::-1]
    )
    levels = np.asarray(picture, np.float64) + grain[..., None]
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


def _text(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    words: str,
    size: float,
    fill: str = "black",
    anchor: str | None = None,
    stroke: int = 0,
) -> None:
    font = ImageFont.load_default(max(8, round(size)))
    draw.text(at, words, fill, font, anchor, stroke_width=stroke, stroke_fill="black")


def _watermark(picture: Image.Image, dice: random.Random) -> Image.Image:
    layer = picture.copy()
    draw = ImageDraw.Draw(layer)
    width, height = picture.size
    for row in range(3):
        at = width * dice.uniform(0, 0.2), height * (0.15 + 0.3 * row)
        _text(draw, at, "site.example", width / 8, fill="white")
    return Image.blend(picture, layer, 0.4)


def _text_on_bar(picture: Image.Image, dice: random.Random) -> Image.Image:
    """As in a story: a line of text on a half-transparent bar across the picture."""
    made, (width, height) = picture.copy(), picture.size
    top = round(height * dice.uniform(0.3, 0.7))
    bar = (0, top, width, top + round(height * 0.08))
    dark = ImageEnhance.Brightness(made.crop(bar)).enhance(0.4)
    made.paste(dark, bar)
    draw = ImageDraw.Draw(made)
    at = width / 2, (bar[1] + bar[3]) / 2
    _text(draw, at, "look who it is", height * 0.05, fill="white", anchor="mm")
    return made


def _meme(picture: Image.Image, _: random.Random) -> Image.Image:
    made, (width, height) = picture.copy(), picture.size
    draw = ImageDraw.Draw(made)
    for words, y in (("WHEN YOU SEE", height * 0.1), ("WHAT SHE SENT", height * 0.9)):
        _text(
            draw,
            (width / 2, y),
            words,
            min(width / 9, height / 6),
            fill="white",
            anchor="mm",
            stroke=max(1, width // 200),
        )
    return made


def _sticker(picture: Image.Image, dice: random.Random, share: float) -> Image.Image:
    """A round face that covers `share` of the picture."""
    made, (width, height) = picture.copy(), picture.size
    size = min((width * height * share * 1.27) ** 0.5, width, height)
    left = dice.uniform(0, width - size)
    top = dice.uniform(0, height - size)
    draw = ImageDraw.Draw(made)

    def part(x: float, y: float, wide: float, high: float) -> tuple[float, ...]:
        at = left + x * size, top + y * size
        return (*at, at[0] + wide * size, at[1] + high * size)

    draw.ellipse(part(0, 0, 1, 1), fill=COLOURS[1])
    draw.ellipse(part(0.25, 0.3, 0.12, 0.16), fill="black")
    draw.ellipse(part(0.63, 0.3, 0.12, 0.16), fill="black")
    draw.chord(part(0.22, 0.35, 0.56, 0.48), 0, 180, fill="#803020")
    return made


def _bordered(picture: Image.Image, dice: random.Random) -> Image.Image:
    colour = dice.choice(("white", "black", *COLOURS))
    return ImageOps.expand(picture, round(max(picture.size) * 0.08), colour)


def _canvas(picture: Image.Image, shape: float, colour: str) -> Image.Image:
    """The picture in the middle of a canvas `shape` times as high as wide."""
    width = max(picture.width, round(picture.height / shape))
    canvas = Image.new(
        "RGB", (width, max(picture.height, round(width * shape))), colour
    )
    at = (width - picture.width) // 2, (canvas.height - picture.height) // 2
    canvas.paste(picture, at)
    return canvas


def _letterboxed(picture: Image.Image, dice: random.Random) -> Image.Image:
    return _canvas(picture, 16 / 9, dice.choice(("black", "white")))


def _squared(picture: Image.Image, dice: random.Random) -> Image.Image:
    return _canvas(picture, 1, dice.choice(("black", "white", *COLOURS)))


def _captioned(picture: Image.Image, _: random.Random, below: bool) -> Image.Image:
    bar, (width, height) = picture.height // 6, picture.size
    made = Image.new("RGB", (width, height + bar * (1 + below)), "white")
    made.paste(picture, (0, bar))
    draw = ImageDraw.Draw(made)
    words = "when she says that\nyou may keep it"
    size = min(bar * 0.35, width / 11)
    _text(draw, (width / 20, bar / 8), words, size)
    if below:
        at = width / 20, height + bar * 1.3
        _text(draw, at, "sent by: site.example", size)
    return made


def _rotated(picture: Image.Image, _: random.Random) -> Image.Image:
    """By five degrees, with what sticks out cut off."""
    return picture.rotate(5, Image.Resampling.BICUBIC)


def _cropped(picture: Image.Image, dice: random.Random, share: float) -> Image.Image:
    """Without `share` of its area, from anywhere."""
    left_over = (1 - share) ** 0.5
    width, height = (round(side * left_over) for side in picture.size)
    left = dice.randint(0, picture.width - width)
    top = dice.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def _screenshot(picture: Image.Image, _: random.Random, dark: bool) -> Image.Image:
    """As a social network's app shows it on a phone."""
    ground, ink = ("black", "white") if dark else ("white", "black")
    screen = Image.new("RGB", PHONE, ground)
    fitted = ImageOps.contain(picture, (PHONE[0], 1700))
    screen.paste(
        fitted, ((PHONE[0] - fitted.width) // 2, (PHONE[1] - fitted.height) // 2)
    )
    draw = ImageDraw.Draw(screen)
    _text(draw, (60, 30), "12:47", 40, fill=ink)
    draw.rectangle((960, 35, 1020, 65), fill=ink)
    draw.ellipse((40, 110, 130, 200), fill=COLOURS[0])
    _text(draw, (160, 130), "some.body_99", 42, fill=ink)
    for left in range(60, 500, 130):
        draw.ellipse((left, 2090, left + 70, 2160), outline=ink, width=6)
    _text(draw, (60, 2180), "1,204 likes   look at this", 40, fill=ink)
    draw.rectangle((400, 2310, 680, 2318), fill=ink)
    return screen


def _chat(picture: Image.Image, _: random.Random) -> Image.Image:
    """As a picture among the messages of a chat, with a margin on either side."""
    screen = Image.new("RGB", PHONE, "#ece5dd")
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, PHONE[0], 200), fill="#075e54")
    _text(draw, (150, 90), "someone", 56, fill="white")
    draw.rounded_rectangle((40, 240, 640, 340), 20, fill="white")
    _text(draw, (70, 260), "is this her?", 44)
    fitted = ImageOps.contain(picture, (900, 1500))
    screen.paste(fitted, (140, 400))
    top = 440 + fitted.height
    draw.rounded_rectangle((500, top, 1040, top + 100), 20, fill="#dcf8c6")
    _text(draw, (530, top + 20), "where is it from", 44)
    draw.rectangle((0, 2200, PHONE[0], PHONE[1]), fill="#f6f6f6")
    return screen


def _other(size: tuple[int, int], dice: random.Random) -> Image.Image:
    """Some other picture: a textured scene that no original is."""
    rng = np.random.default_rng(dice.getrandbits(32))
    blobs = rng.integers(0, 256, (9, 9, 3), np.uint8)
    grain = rng.integers(0, 40, (*size[::-1], 3), np.uint8)
    smooth = Image.fromarray(blobs).resize(size, Image.Resampling.BICUBIC)
    return ImageChops.add(smooth, Image.fromarray(grain))


def _collage(picture: Image.Image, dice: random.Random) -> Image.Image:
    """Beside another picture, with a white line between them."""
    made = Image.new("RGB", (2 * picture.width + 10, picture.height), "white")
    made.paste(picture, (0, 0))
    made.paste(_other(picture.size, dice), (picture.width + 10, 0))
    return made


def _inset(picture: Image.Image, dice: random.Random) -> Image.Image:
    """Half as wide, in the middle of another picture."""
    made = _other(picture.size, dice)
    made.paste(scaled(picture, 0.5), (picture.width // 4, picture.height // 4))
    return made


def _photo_of_screen(picture: Image.Image, dice: random.Random) -> Image.Image:
    """From a little aside, with the screen's lines and a reflection."""
    width, height = picture.size
    lean = [dice.uniform(0.01, 0.05) for _ in range(8)]
    corners = (
        *(
            -lean[0] * width,
            -lean[1] * height,
            -lean[2] * width,
            (1 + lean[3]) * height,
        ),
        *((1 + lean[4]) * width, (1 + lean[5]) * height),
        *((1 + lean[6]) * width, -lean[7] * height),
    )
    seen = picture.transform(
        picture.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC
    )
    levels = np.asarray(seen, np.float64)
    levels *= 0.9 + 0.1 * np.sin(np.arange(height) * 1.3)[:, None, None]
    levels += np.linspace(0, 40, width)[None, :, None]
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


def _both(first: Edit, then: Edit) -> Edit:
    return lambda picture, dice: then(first(picture, dice), dice)


EDITS: Final[dict[str, Edit]] = {
    "re-saved q85": _same,
    "JPEG q20": _same,
    "WebP q60": _webp,
    "resize 50 %": _resized(0.5),
    "resize 25 %": _resized(0.25),
    "shared twice": _shared_twice,
    "greyscale": _grey,
    "bright, more contrast": _toned(1.3, 1.3, 1.2),
    "dark, flat": _toned(0.7, 0.8, 0.8),
    "filter, vignette": _vignette,
    "blur": _blurred,
    "noise": _noisy,
    "watermark": _watermark,
    "text on a bar": _text_on_bar,
    "meme text": _meme,
    "emoji 5 %": partial(_sticker, share=0.05),
    "emoji 20 %": partial(_sticker, share=0.2),
    "caption bar above": partial(_captioned, below=False),
    "caption bars around": partial(_captioned, below=True),
    "border 8 %": _bordered,
    "letterbox 9:16": _letterboxed,
    "made square": _squared,
    "screenshot, light": partial(_screenshot, dark=False),
    "screenshot, dark": partial(_screenshot, dark=True),
    "screenshot of a chat": _chat,
    "mirrored": _turned(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned by 90": _turned(Image.Transpose.ROTATE_90),
    "turned by 180": _turned(Image.Transpose.ROTATE_180),
    "mirrored, bordered": _both(_turned(Image.Transpose.FLIP_LEFT_RIGHT), _bordered),
    "screenshot, then q50": partial(_screenshot, dark=True),
    "turned by 5": _rotated,
    "crop 2 %": partial(_cropped, share=0.02),
    "crop 10 %": partial(_cropped, share=0.1),
    "crop 25 %": partial(_cropped, share=0.25),
    "collage of two": _collage,
    "inset 50 % wide": _inset,
    "photo of a screen": _photo_of_screen,
    "mirror, crop, filter": _both(
        _turned(Image.Transpose.FLIP_LEFT_RIGHT),
        _both(partial(_cropped, share=0.25), _vignette),
    ),
}
QUALITIES: Final = {"JPEG q20": 20, "screenshot, then q50": 50}
