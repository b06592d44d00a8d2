"""From a photo's bytes to what we know of it: CPU milliseconds of each stage, as ratios in one run.

``python -m benchmarks.photo [--rounds 9]``. All stages of a round follow one another, and the best round counts, so
that a busy machine disturbs all alike. Where ``pdqhash``, ``threatexchange`` or ``imagehash`` are installed, they run
in the same rounds, and the ratios are to what ``threatexchange`` takes from the file to one hash.
"""

import argparse
import importlib
import resource
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from moderation.detection import score
from moderation.hashing import (
    content_box,
    pdq,
    pdq_dihedral,
    pdq_forms,
    phash,
    picture_hashes,
)
from moderation.media import decode, decode_luma, derivative, isolation, warm

Stage = Callable[[], object]
Pixels = NDArray[np.uint8]

PHOTOS: Final = {"12 MP": (4000, 3000), "1080 px": (1080, 1350)}
IN_A_ROW: Final = 20
JAILED: Final = ", jailed"
FIELD: Final = "threatexchange, file to 1 hash"
DECODED: Final = "decode"


def photo(size: tuple[int, int]) -> bytes:
    """A JPEG with the detail of a photo: a benign picture in this size, with grain."""
    folder = Path(importlib.import_module("skimage").__file__ or "").parent
    picture = Image.open(folder / "data" / "coffee.png").convert("RGB")
    noise = np.random.default_rng(1).integers(0, 12, (*size[::-1], 3), np.uint8)
    grainy = ImageChops.add(picture.resize(size), Image.fromarray(noise))
    file = BytesIO()
    grainy.save(file, "JPEG", quality=88)
    return file.getvalue()


def installed(module: str, name: str) -> Callable[..., object] | None:
    try:
        found: Callable[..., object] = getattr(importlib.import_module(module), name)
    except ImportError:
        print(f"{module} is not installed: its rows are missing")
        return None
    return found


def unguarded(data: bytes, mode: str) -> Pixels:
    """What decoding costs without a process of its own: never done with others' bytes."""
    image = Image.open(BytesIO(data))
    if mode == "L":
        image.draft("L", image.size)
    return np.asarray(image.convert(mode))


def jailed(stage: Stage) -> None:
    """Several in a row and the start of the process that does them: it is reaped, so its time counts."""
    for _ in range(IN_A_ROW):
        stage()
    warm.end_all()


def our_stages(data: bytes) -> dict[str, Stage]:
    picture = decode(data)
    pixels, luma = picture.pixels, decode_luma(data).pixels
    return {
        DECODED: lambda: unguarded(data, "RGB"),
        "decode luma": lambda: unguarded(data, "L"),
        "decode" + JAILED: lambda: jailed(lambda: decode(data)),
        "decode luma" + JAILED: lambda: jailed(lambda: decode_luma(data)),
        "PDQ of RGB": lambda: pdq(pixels),
        "PDQ of luma": lambda: pdq(luma),
        "PDQ of luma, the reference's 8": lambda: pdq_dihedral(luma),
        "PDQ of luma, our 8": lambda: pdq_forms(luma),
        "content box of luma": lambda: content_box(luma),
        "pHash of luma": lambda: phash(luma),
        "all hashes of luma": lambda: picture_hashes(luma),
        "file to all hashes": lambda: picture_hashes(unguarded(data, "L")),
        "file to all hashes" + JAILED: lambda: jailed(
            lambda: picture_hashes(decode_luma(data).pixels)
        ),
        "open_nsfw": lambda: score(pixels),
        "reviewer's copy, blurred": lambda: derivative(picture, blur=True, grey=True),
        "reviewer's copy, revealed": lambda: derivative(picture, blur=False, grey=True),
    }


def others_stages(data: bytes) -> dict[str, Stage]:
    """The field's own code, on the same file and pixels."""
    pixels = unguarded(data, "RGB")
    stages: dict[str, Stage] = {}
    if compute := installed("pdqhash", "compute"):
        stages["pdqhash"] = lambda: compute(pixels)
    if dihedral := installed("pdqhash", "compute_dihedral"):
        stages["pdqhash, 8"] = lambda: dihedral(pixels)
    if theirs := installed("imagehash", "phash"):
        stages["imagehash.phash"] = lambda: theirs(Image.fromarray(pixels))
    if signal := installed("threatexchange.signal_type.pdq.signal", "PdqSignal"):
        from_bytes = signal.hash_from_bytes  # type: ignore[attr-defined]
        stages[FIELD] = lambda: from_bytes(data)
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
            times = IN_A_ROW if name.endswith(JAILED) else 1
            spent = ((cpu() - work) / times, (time.perf_counter() - wall) / times)
            best[name] = (min(best[name][0], spent[0]), min(best[name][1], spent[1]))
    return best


def show(title: str, best: dict[str, tuple[float, float]]) -> None:
    unit = FIELD if FIELD in best else DECODED
    print(f"\n{title:34}{'CPU ms':>9}{'wall ms':>9}{'x ' + unit:>34}")
    for name, (work, wall) in best.items():
        ratio = work / best[unit][0]
        print(f"{name:34}{work * 1000:9.2f}{wall * 1000:9.2f}{ratio:34.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print("sandbox:", ", ".join(sorted(isolation())))
    for title, size in PHOTOS.items():
        data = photo(size)
        best = measure(our_stages(data) | others_stages(data), rounds)
        show(f"{title}, {len(data) / 1e6:.1f} MB", best)


if __name__ == "__main__":
    main()
