"""How the HEIC files beside this were made, once: ``python -m tests.moderation.media.heic.make``.

It needs ``pillow-heif`` (with x265, GPL), which neither production nor the tests install: what the project uses can
only decode. The pictures are crops of scikit-image's astronaut (public domain) and coffee cup (CC0).
"""

from pathlib import Path

import pillow_heif
from PIL import Image

from tests.moderation.media.files import ORIENTATION, saved, shipped

FOLDER = Path(__file__).parent


def astronaut() -> Image.Image:
    return shipped().crop((60, 0, 380, 320))


def cup() -> Image.Image:
    return shipped("coffee.png").resize((96, 64))


def main() -> None:
    pillow_heif.register_heif_opener()
    plain = saved(astronaut(), "HEIF", quality=40)
    (FOLDER / "astronaut.heic").write_bytes(plain)
    half_clear = cup().convert("RGBA")
    half_clear.paste((0, 0, 0, 0), (0, 0, 48, 64))
    (FOLDER / "half_clear.heic").write_bytes(saved(half_clear, "HEIF", quality=60))
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = turn
        data = saved(cup(), "HEIF", quality=60, exif=exif.tobytes())
        (FOLDER / f"turn_{turn}.heic").write_bytes(data)


if __name__ == "__main__":
    main()
