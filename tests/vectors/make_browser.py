"""Make the pictures of `browser/` and the fingerprints of `browser.json`.

Needs `pdqhash` (Meta's own code, so a compiler) beside Pillow and scikit-image, in an
environment apart: it is the oracle and no dependency. Run once; what it wrote is kept,
so that another version of Pillow cannot move the goal. Every picture is benign.
"""

import io
import json
import struct
from pathlib import Path

import numpy as np
import pdqhash
import skimage
from PIL import Image, ImageOps

HERE = Path(__file__).parent
SHIPPED = Path(skimage.__file__).parent / "data"
NAMES = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png",
    "coffee.png", "coins.png", "grass.png", "gravel.png",
    "hubble_deep_field.jpg", "ihc.png", "microaneurysms.png", "moon.png",
    "motorcycle_left.png", "page.png", "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip
ORIENTATIONS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def profile() -> bytes:
    """A colour profile far from sRGB: linear light, other primaries."""
    curve = b"curv" + bytes(4) + struct.pack(">I", 0)

    def xyz(*values: float) -> bytes:
        fixed = [round(v * 65536) for v in values]
        return b"XYZ " + bytes(4) + struct.pack(">3i", *fixed)

    tags = {
        b"rXYZ": xyz(0.5151, 0.2412, -0.0011),
        b"gXYZ": xyz(0.2919, 0.6922, 0.0419),
        b"bXYZ": xyz(0.1572, 0.0666, 0.7841),
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79),
        b"cprt": b"text" + bytes(4) + b"CC0\0",
    }  # fmt: skip
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        body = tag + bytes(-len(tag) % 4)
        table += name + struct.pack(">II", at + len(data), len(tag))
        data += body
    head = struct.pack(">I4sI4s4s4s12x4s", at + len(data), b"none", 0x02400000,
                       b"mntr", b"RGB ", b"XYZ ", b"acsp")  # fmt: skip
    head += bytes(68 - len(head)) + struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + data


def see_through(picture: Image.Image) -> Image.Image:
    rows, columns = np.mgrid[: picture.height, : picture.width]
    alpha = ((columns * 255) // picture.width) * (rows % 60 > 20)
    clear = picture.convert("RGBA")
    clear.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return clear


def variants(base: Image.Image) -> dict[str, bytes]:
    """File name to file."""
    made: dict[str, bytes] = {}

    def keep(name: str, picture: Image.Image, **options: object) -> None:
        file = io.BytesIO()
        kind = Image.registered_extensions()[Path(name).suffix]
        picture.save(file, kind, **options)
        made[name] = file.getvalue()

    for number, turn in ORIENTATIONS.items():
        exif = Image.Exif()
        exif[0x0112] = number
        turned = base if turn is None else base.transpose(turn)
        keep(f"orientation-{number}.jpg", turned, quality=80, exif=exif)
    keep("progressive.jpg", base, quality=60, progressive=True)
    keep("fine.jpg", base, quality=92, subsampling=0)
    keep("grey.jpg", base.convert("L"), quality=80)
    keep("four-inks.jpg", base.convert("CMYK"), quality=80)
    keep("profile.jpg", base, quality=80, icc_profile=profile())
    keep("profile.png", base.resize((150, 100)), icc_profile=profile())
    keep("see-through.png", see_through(base.resize((150, 100))))
    keep("grey-see-through.png", see_through(base.resize((150, 100))).convert("LA"))
    keep("lossy.webp", base, quality=70)
    keep("lossless.webp", base.resize((150, 100)), lossless=True)
    keep("see-through.webp", see_through(base), quality=80)
    few = base.resize((150, 100)).quantize(32)
    second = few.transpose(Image.Transpose.ROTATE_180)
    keep("moving.gif", few, save_all=True, append_images=[second], duration=100)
    keep("see-through.gif", few, transparency=3)
    keep("odd.bmp", base.resize((149, 101)))
    keep("many-stripes.png", base.convert("L").quantize(4).resize((90, 1201)))
    return made


def fingerprint(path: Path) -> dict[str, object]:
    with Image.open(path) as file:
        upright = ImageOps.exif_transpose(file)
        if upright.has_transparency_data:
            clear = upright.convert("RGBA")
            upright = Image.new("RGB", clear.size, "white")
            upright.paste(clear, mask=clear.getchannel("A"))
        pixels = np.ascontiguousarray(np.asarray(upright.convert("RGB")))
    bits, quality = pdqhash.compute(pixels)
    return {"hash": np.packbits(bits).tobytes().hex(), "quality": int(quality)}


def main() -> None:
    with Image.open(SHIPPED / "chelsea.png") as cat:
        base = cat.convert("RGB").resize((300, 200), Image.Resampling.LANCZOS)
    for name, data in variants(base).items():
        (HERE / "browser" / name).write_bytes(data)
    made = sorted((HERE / "browser").iterdir())
    vectors = {
        "skimage": {name: fingerprint(SHIPPED / name) for name in NAMES},
        "browser": {path.name: fingerprint(path) for path in made},
    }
    (HERE / "browser.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
