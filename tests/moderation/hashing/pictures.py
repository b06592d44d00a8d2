"""Pictures that packages ship, for all tests of fingerprints."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import skimage
import sklearn
from PIL import Image

SHIPPED = Path(skimage.__file__).parent / "data"
SHIPPED_TOO = Path(sklearn.__file__).parent / "datasets" / "images"
PHOTOGRAPHS = (
    *("astronaut.png", "camera.png", "cell.png", "chelsea.png", "coffee.png"),
    *("coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png"),
    *("moon.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg"),
    *("china.jpg", "flower.jpg"),
)


def picture(name: str = "coffee.png") -> Image.Image:
    folder = SHIPPED if (SHIPPED / name).exists() else SHIPPED_TOO
    with Image.open(folder / name) as image:
        return image.convert("RGB")


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def luma(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"))


def saved(image: Image.Image, quality: int = 85) -> Image.Image:
    """As read back from a JPEG file."""
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def crops(count: int, seed: int = 1) -> Iterator[np.ndarray]:
    """Parts of photographs, from anywhere in them, of a few sizes."""
    dice = np.random.default_rng(seed)
    whole = [luma(picture(name)) for name in PHOTOGRAPHS]
    for number in range(count):
        source = whole[number % len(whole)]
        height, width = dice.choice((96, 120, 150, 200, 256), 2)
        top = dice.integers(0, source.shape[0] - height + 1)
        left = dice.integers(0, source.shape[1] - width + 1)
        yield source[top : top + height, left : left + width]
