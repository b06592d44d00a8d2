"""From a photo's bytes to what we know of it: CPU milliseconds of each stage, as ratios in one run.

``python -m benchmarks.photo [--rounds 9]``. All stages of a round follow one another, and the best round counts, so
that a busy machine disturbs all alike. Where ``pdqhash`` is installed, it runs in the same rounds.
"""

import argparse
import importlib
import resource
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from moderation.detection import score
from moderation.hashing import pdq, pdq_dihedral
from moderation.matching import NumpyEngine
from moderation.media import decode, derivative, isolation, warm

Stage = Callable[[], object]
PHOTOS = {"12 MP": (4000, 3000), "0.8 MP": (1024, 768)}
BANKS = (100_000, 1_000_000)
THRESHOLD = 31
IN_A_ROW = 20
REPEATS = {"decode, in the sandbox": IN_A_ROW}


def photo(size: tuple[int, int]) -> bytes:
    """A JPEG with the detail of a photo: a benign picture in this size, with grain."""
    folder = Path(importlib.import_module("skimage").__file__ or "").parent
    picture = Image.open(folder / "data" / "coffee.png").convert("RGB")
    noise = np.random.default_rng(1).integers(0, 12, (*size[::-1], 3), np.uint8)
    grainy = ImageChops.add(picture.resize(size), Image.fromarray(noise))
    file = BytesIO()
    grainy.save(file, "JPEG", quality=88)
    return file.getvalue()


def reference() -> Callable[[NDArray[np.uint8]], object] | None:
    try:
        found = importlib.import_module("pdqhash")
    except ImportError:
        return None
    compute: Callable[[NDArray[np.uint8]], object] = found.compute
    return compute


def unguarded(data: bytes) -> NDArray[np.uint8]:
    """What decoding costs without a process of its own: never done with others' bytes."""
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


def in_the_sandbox(data: bytes) -> None:
    """Several in a row and the start of the process that does them: it is reaped, so its time counts."""
    for _ in range(IN_A_ROW):
        decode(data)
    warm.end_all()


def photo_stages(data: bytes) -> dict[str, Stage]:
    picture = decode(data)
    pixels = picture.pixels
    stages: dict[str, Stage] = {
        "decode, in this process": lambda: unguarded(data),
        "decode, in the sandbox": lambda: in_the_sandbox(data),
        "PDQ": lambda: pdq(pixels),
        "PDQ, 8 symmetries": lambda: pdq_dihedral(pixels),
        "open_nsfw": lambda: score(pixels),
        "reviewer's copy, blurred": lambda: derivative(picture, blur=True, grey=True),
        "reviewer's copy, revealed": lambda: derivative(picture, blur=False, grey=True),
    }
    oracle = reference()
    if oracle is not None:
        stages["pdqhash"] = lambda: oracle(pixels)
    return stages


def bank_stages() -> dict[str, Stage]:
    dice = np.random.default_rng(1)
    stages: dict[str, Stage] = {}
    for count in BANKS:
        engine = NumpyEngine()
        engine.add((id, dice.bytes(32)) for id in range(count))
        for number in (1, 8):
            hashes = [dice.bytes(32) for _ in range(number)]
            stage = partial(engine.match, hashes, THRESHOLD)
            stages[f"match {number} in {count:,}"] = stage
    return stages


def cpu() -> float:
    used = [
        resource.getrusage(who)
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(stages: dict[str, Stage], rounds: int) -> dict[str, tuple[float, float]]:
    """The least CPU and the least wall seconds of each stage."""
    best = dict.fromkeys(stages, (float("inf"), float("inf")))
    for _ in range(rounds):
        for name, stage in stages.items():
            wall, work = time.perf_counter(), cpu()
            stage()
            times = REPEATS.get(name, 1)
            spent = ((cpu() - work) / times, (time.perf_counter() - wall) / times)
            best[name] = (min(best[name][0], spent[0]), min(best[name][1], spent[1]))
    return best


def show(title: str, best: dict[str, tuple[float, float]], unit: str) -> None:
    print(f"\n{title:28}{'CPU ms':>9}{'wall ms':>9}{'x ' + unit:>28}")
    for name, (work, wall) in best.items():
        ratio = work / best[unit][0]
        print(f"{name:28}{work * 1000:9.2f}{wall * 1000:9.2f}{ratio:28.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print("sandbox:", ", ".join(sorted(isolation())))
    if reference() is None:
        print("pdqhash is not installed: its row is missing")
    for title, size in PHOTOS.items():
        data = photo(size)
        best = measure(photo_stages(data), rounds)
        show(f"{title}, {len(data) / 1e6:.1f} MB", best, "decode, in this process")
    show("bank", measure(bank_stages(), rounds), "match 1 in 100,000")


if __name__ == "__main__":
    main()
