"""How much of what is posted again is found: recall for each edit, and false matches.

``python -m benchmarks.robustness [--folder PICTURES]``. Originals are photographs and scans that packages ship (large
ones in parts that do not overlap) and, apart, drawn scenes; ``--folder`` takes pictures of one's own instead. Only
originals of quality >= 50 count, since no others may be banked. The bank holds the hash of each whole original; a copy
asks with its own hash, with its 8, and with the 8 of its content box too. Every copy is compared with every original,
and so is every edit of scenes that the bank does not hold: what is found and is no copy is a false match.
"""

import argparse
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.edits import EDITS, LONG_SIDE, edited
from moderation.hashing import (
    MIN_QUALITY,
    PHASH_THRESHOLD,
    THRESHOLD,
    PictureHashes,
    picture_hashes,
)

REVIEW_THRESHOLD: Final = 63
WAYS: Final = {  # to ask, and the distance that counts as found
    "PDQ": ("PDQ", THRESHOLD),
    "x8": ("x8", THRESHOLD),
    "x8+box": ("x8+box", THRESHOLD),
    "x8+box, 63": ("x8+box", REVIEW_THRESHOLD),
    "pHash": ("pHash", PHASH_THRESHOLD),
}
# File, and into how many columns and rows it is cut: parts of one picture do not overlap.
SHIPPED: Final = {
    "skimage/data": {
        "astronaut.png": (2, 2),
        "brick.png": (1, 1),
        "camera.png": (2, 2),
        "cell.png": (1, 1),
        "chelsea.png": (1, 1),
        "clock_motion.png": (1, 1),
        "coffee.png": (2, 2),
        "coins.png": (1, 1),
        "grass.png": (2, 2),
        "gravel.png": (2, 2),
        "hubble_deep_field.jpg": (4, 4),
        "ihc.png": (2, 2),
        "microaneurysms.png": (1, 1),
        "moon.png": (2, 2),
        "motorcycle_left.png": (2, 2),
        "retina.jpg": (1, 1),
        "rocket.jpg": (2, 1),
    },
    "sklearn/datasets/images": {"china.jpg": (3, 2), "flower.jpg": (2, 2)},
    "matplotlib/mpl-data/sample_data": {
        "grace_hopper.jpg": (1, 1),
        "Minduka_Present_Blue_Pack.png": (1, 1),
    },
}
SCENES: Final = 16
STRANGERS: Final = 24  # scenes that are in no bank

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Picture:
    name: str
    image: Image.Image


def parts(path: Path, columns: int, rows: int) -> Iterator[Picture]:
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    wide, high = image.width // columns, image.height // rows
    for row in range(rows):
        for column in range(columns):
            left, top = column * wide, row * high
            part = image.crop((left, top, left + wide, top + high))
            yield Picture(f"{path.stem} {row}{column}", part)


def shipped() -> Iterator[Picture]:
    for folder, files in SHIPPED.items():
        package, _, inside = folder.partition("/")
        try:
            root = Path(importlib.import_module(package).__file__ or "").parent
        except ImportError:
            print(f"{package} is not installed: its pictures are missing")
            continue
        for name, grid in files.items():
            yield from parts(root / inside / name, *grid)


def scene(number: int) -> Picture:
    """Clouds of four sizes in colours of their own, with grain."""
    dice = np.random.default_rng(number)
    size = (640, 480) if number % 2 else (480, 640)
    coarse = [
        Image.fromarray(dice.integers(0, 256, (side, side, 3), np.uint8)).resize(
            size, Image.Resampling.BICUBIC
        )
        for side in (3, 6, 13, 40)
    ]
    levels = sum(
        np.asarray(layer, np.float64) * weight
        for layer, weight in zip(coarse, (0.35, 0.3, 0.2, 0.15), strict=True)
    )
    grain = dice.normal(0, 4, (size[1], size[0], 1))
    pixels = np.clip(levels + grain, 0, 255).astype(np.uint8)
    return Picture(f"scene {number}", Image.fromarray(pixels))


def own(folder: Path) -> Iterator[Picture]:
    for path in sorted(folder.iterdir()):
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
        yield Picture(path.stem, image)


def hashes(image: Image.Image) -> PictureHashes:
    return picture_hashes(np.asarray(image))


class Bank:
    def __init__(self, pictures: Iterable[Picture]) -> None:
        known = [(each, hashes(each.image)) for each in pictures]
        kept = [pair for pair in known if pair[1].whole.quality >= MIN_QUALITY]
        self.pictures = [picture for picture, _ in kept]
        self.pdq = words([made.whole.hash for _, made in kept])
        self.phash = words([made.phash or b"" for _, made in kept])

    def distances(self, made: PictureHashes) -> dict[str, NDArray[np.int64]]:
        """To each original, of each way to ask."""
        forms = nearest(self.pdq, made.forms)
        boxed = nearest(self.pdq, made.box_forms) if made.box_forms else forms
        return {
            "PDQ": nearest(self.pdq, made.forms[:1]),
            "x8": forms,
            "x8+box": np.minimum(forms, boxed),
            "pHash": nearest(self.phash, [made.phash or b""]),
        }


def words(values: Iterable[bytes]) -> Words:
    values = list(values)
    return np.frombuffer(b"".join(values), np.uint64).reshape(len(values), -1)


def nearest(bank: Words, asked: Iterable[bytes]) -> NDArray[np.int64]:
    differing = words(asked)[:, None] ^ bank[None]
    counts = np.bitwise_count(differing).sum(axis=2, dtype=np.int64)
    least: NDArray[np.int64] = counts.min(axis=0)
    return least


@dataclass
class Tally:
    """What was found of the copies, by edit and way, and what else was found."""

    recall: dict[str, dict[str, float]]
    false_matches: dict[str, int]
    closest: dict[str, int]
    pair_count: int


def compare(bank: Bank, strangers: Iterable[Picture]) -> Tally:
    tally = Tally({}, dict.fromkeys(WAYS, 0), dict.fromkeys(WAYS, 256), 0)
    outside = list(strangers)
    for edit in EDITS:
        copies = _distances(bank, bank.pictures, edit)
        others = _distances(bank, outside, edit)
        is_copy = np.eye(len(bank.pictures), dtype=bool)
        tally.pair_count += (~is_copy).sum() + others["PDQ"].size
        tally.recall[edit] = {}
        for way, (asked, threshold) in WAYS.items():
            apart = np.concatenate((copies[asked][~is_copy], others[asked].ravel()))
            tally.recall[edit][way] = float(
                (copies[asked][is_copy] <= threshold).mean()
            )
            tally.false_matches[way] += int((apart <= threshold).sum())
            tally.closest[way] = min(tally.closest[way], int(apart.min()))
    return tally


def _distances(
    bank: Bank, pictures: Iterable[Picture], edit: str
) -> dict[str, NDArray[np.int64]]:
    made = [
        bank.distances(hashes(edited(edit, each.image, each.name))) for each in pictures
    ]
    return {way: np.stack([row[way] for row in made]) for way in made[0]}


def show(title: str, bank: Bank, tally: Tally) -> None:
    print(f"\n{title}: {len(bank.pictures)} originals, recall in %")
    print(f"{'':24}" + "".join(f"{way:>12}" for way in WAYS))
    for edit, shares in tally.recall.items():
        print(f"{edit:24}" + "".join(f"{shares[way]:12.0%}" for way in WAYS))
    mean = {way: np.mean([row[way] for row in tally.recall.values()]) for way in WAYS}
    print(f"{'all':24}" + "".join(f"{mean[way]:12.1%}" for way in WAYS))
    print(
        f"{'false matches':24}"
        + "".join(f"{n:12}" for n in tally.false_matches.values())
    )
    print(
        f"{'closest of no copy':24}"
        + "".join(f"{n:12}" for n in tally.closest.values())
    )
    print(f"{tally.pair_count:,} pairs of a copy and a picture that it is no copy of")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    folder = parser.parse_args().folder
    scenes = [scene(number) for number in range(SCENES + STRANGERS)]
    kinds = {
        "photographs and scans": list(own(folder) if folder else shipped()),
        "drawn scenes": scenes[:SCENES],
    }
    for title, pictures in kinds.items():
        bank = Bank(pictures)
        show(title, bank, compare(bank, scenes[SCENES:]))


if __name__ == "__main__":
    main()
