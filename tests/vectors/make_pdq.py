"""Write `pdq.json`: what Meta's own code answers for shipped pictures, parts of them, and the files in `browser/`.

Needs `pdqhash` (a compiler), Pillow, scikit-image and scikit-learn, in an environment apart. Run from the root of the
project as `python -m tests.vectors.make_pdq`. Left out are the two chessboards (and two TIFF files of an even slope):
their frequencies are equal but for rounding, so their hash is the order in which one implementation adds.
"""

import json
from pathlib import Path

import numpy as np
import pdqhash
import skimage
import sklearn
from PIL import Image, ImageOps

HERE = Path(__file__).parent
SHIPPED = Path(skimage.__file__).parent / "data"
SHIPPED_TOO = Path(sklearn.__file__).parent / "datasets" / "images"
LEFT_OUT = {"chessboard_GRAY.png", "chessboard_RGB.png", "odd.bmp"}
SUFFIXES = {".png", ".jpg", ".gif", ".webp"}
CORNER = (150, 60)
SIZES = (
    *((4, 4), (4, 200), (5, 5), (6, 9), (20, 31), (63, 65), (64, 64), (65, 64)),
    *((100, 9), (127, 128), (129, 128), (300, 40), (41, 333), (256, 257)),
)


def pixels(image: Image.Image) -> np.ndarray:
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        upright = Image.new("RGB", clear.size, "white")
        upright.paste(clear, mask=clear.getchannel("A"))
    return np.ascontiguousarray(np.asarray(upright.convert("RGB")))


def answer(image: Image.Image) -> dict[str, object]:
    hashes, quality = pdqhash.compute_dihedral(pixels(image))
    texts = [np.packbits(bits.astype(np.uint8)).tobytes().hex() for bits in hashes]
    return {"quality": int(quality), "dihedral": texts}


def folder(path: Path) -> dict[str, object]:
    names = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
    return {
        file.name: answer(Image.open(file))
        for file in names
        if file.name not in LEFT_OUT
    }


def parts(name: str) -> dict[str, object]:
    left, top = CORNER
    with Image.open(SHIPPED / name) as image:
        boxes = [(left, top, left + width, top + height) for width, height in SIZES]
        return {
            " ".join([name, *map(str, box)]): answer(image.crop(box)) for box in boxes
        }


def main() -> None:
    vectors = {
        "shipped": folder(SHIPPED) | folder(SHIPPED_TOO),
        "browser": folder(HERE / "browser"),
        "parts": parts("astronaut.png") | parts("camera.png"),
    }
    (HERE / "pdq.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
