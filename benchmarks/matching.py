"""Matching: the CPU milliseconds of a question, as ratios in one run, and that it finds every match.

``python -m benchmarks.matching [--large] [--rounds 15]`` fills banks of 100,000 and 1,000,000 random hashes (with
``--large``: 10,000,000 too) with neighbours planted at each distance. All engines of a round answer the same new
question, and the best round counts, so that a busy machine disturbs all alike. The floor is reading the bank once.
Where ``faiss`` is installed, its exact ``IndexBinaryFlat`` on one thread is the unit.
"""

import argparse
import importlib
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.matching import (
    Engine,
    LayeredEngine,
    NumpyEngine,
    Rows,
    Snapshot,
    words_of,
    write_snapshot,
)

Ask = Callable[[list[bytes]], object]

SIZES: Final = (100_000, 1_000_000)
LARGE: Final = 10_000_000
KEY: Final = bytes(range(16))
THRESHOLD: Final = 31
BAND: Final = 63  # of the questions that only people answer
OF_A_PHOTO: Final = 16  # 8 forms of the whole picture and 8 of its content box
DELTA, WITHDRAWN = 2_000, 500
HITS: Final = 32
FARTHEST: Final = 40
FAISS: Final = "faiss IndexBinaryFlat"
FLOOR: Final = "floor: read the bank once"
SHARED: Final = "snapshot, delta, withdrawn"
# At 1,000,000, in units of faiss: one question, and those of a photo.
TARGETS: Final = {1: 1.0, OF_A_PHOTO: 0.5}


class Bank(NamedTuple):
    rows: Rows
    hits: list[bytes]  # each with a neighbour at every distance up to FARTHEST


def bank(size: int) -> Bank:
    dice = np.random.default_rng(size)
    words = dice.integers(0, 2**64, (size, 4), np.uint64)
    hits = [dice.bytes(32) for _ in range(HITS)]
    places = dice.choice(size - DELTA - WITHDRAWN, HITS * (FARTHEST + 1), replace=False)
    near = [moved(hit, bits, dice) for hit in hits for bits in range(FARTHEST + 1)]
    words[places] = words_of(near)
    return Bank(Rows(np.arange(size), words), hits)


def moved(hash: bytes, bits: int, dice: np.random.Generator) -> bytes:
    flips = sum(1 << int(bit) for bit in dice.permutation(256)[:bits])
    return (int.from_bytes(hash) ^ flips).to_bytes(32)


def prove_recall(name: str, engine: Engine, hits: list[bytes]) -> None:
    """Exactly one match at each distance up to the threshold, and none beyond: random hashes are far apart."""
    found = engine.match(hits, THRESHOLD)
    expected = [(hit, bits) for hit in range(HITS) for bits in range(THRESHOLD + 1)]
    if [(match.query, match.distance) for match in found] != expected:
        raise SystemExit(f"{name} does not find exactly the planted matches.")


@contextmanager
def folder() -> Iterator[Path]:
    """In memory, where there is such a file system: as in production."""
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as path:
        yield Path(path)


def seconds(deed: Callable[[], object]) -> float:
    started = time.perf_counter()
    deed()
    return time.perf_counter() - started


def layered(path: Path, rows: Rows) -> LayeredEngine:
    """All rows, as a process has them some time after the snapshot was written."""
    old = Rows(rows.ids[:-DELTA], rows.words[:-DELTA])
    wrote = seconds(lambda: write_snapshot(path, *old, number=1, key=KEY))
    opened = seconds(lambda: Snapshot.open(path, KEY))
    engine = LayeredEngine(Snapshot.open(path, KEY), KEY)
    engine.add_rows(Rows(rows.ids[-DELTA:], rows.words[-DELTA:]))
    engine.withdraw(range(len(old.ids) - WITHDRAWN, len(old.ids)))
    per_million = path.stat().st_size / len(old.ids)
    print(
        f"snapshot: {wrote:.2f} s to write, {opened:.2f} s to open and prove whole,"
        f" {per_million:.1f} MB for each million hashes"
    )
    return engine


def faiss_flat(words: NDArray[np.uint64]) -> Any:
    try:
        faiss = importlib.import_module("faiss")
    except ImportError:
        return None
    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryFlat(256)
    for start in range(0, len(words), 1_000_000):
        part = words[start : start + 1_000_000].astype(">u8")
        index.add(part.view(np.uint8).reshape(-1, 32))
    return index


def as_faiss(index: Any, threshold: int) -> Ask:
    # Its radius is exclusive.
    return lambda hashes: index.range_search(
        np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32), threshold + 1
    )


def as_ours(engine: Engine, threshold: int) -> Ask:
    return lambda hashes: engine.match(hashes, threshold)


def measure(asks: dict[str, Ask], count: int, rounds: int) -> dict[str, float]:
    """The least CPU seconds that each takes for so many hashes at once, which nobody has asked before."""
    best = dict.fromkeys(asks, float("inf"))
    for round in range(rounds):
        dice = np.random.default_rng((count, round))
        hashes = [dice.bytes(32) for _ in range(count)]
        for name, ask in asks.items():
            started = time.process_time()
            ask(hashes)
            best[name] = min(best[name], time.process_time() - started)
    return best


def show(size: int, count: int, threshold: int, best: dict[str, float]) -> None:
    unit = FAISS if FAISS in best else FLOOR
    print(f"\n{f'{count} at once, {threshold} bits':26}    CPU ms   of {unit}")
    for name, value in best.items():
        target = TARGETS[count] if name == SHARED and threshold == THRESHOLD else None
        note = (
            f"   target {target}" if target and (size, unit) == (10**6, FAISS) else ""
        )
        print(f"  {name:28}{value * 1000:9.3f}{value / best[unit]:8.2f}{note}")


def compare(size: int, rounds: int, path: Path) -> None:
    print(f"\n== {size:,} hashes ==")
    rows, hits = bank(size)
    shared, plain = layered(path, rows), NumpyEngine(KEY)
    plain.add_rows(rows)
    index = faiss_flat(rows.words)
    for name, engine in ((SHARED, shared), ("numpy scan", plain)):
        prove_recall(name, engine, hits)
    print(f"recall: {HITS * (THRESHOLD + 1)} of {HITS * (THRESHOLD + 1)}, none beyond")
    for threshold in (THRESHOLD, BAND):
        asks: dict[str, Ask] = {
            FLOOR: lambda _: np.bitwise_or.reduce(rows.words, axis=None),
            SHARED: as_ours(shared, threshold),
            "numpy scan": as_ours(plain, threshold),
        }
        if index is not None:
            asks[FAISS] = as_faiss(index, threshold)
        for count in (1, OF_A_PHOTO):
            show(size, count, threshold, measure(asks, count, rounds))


def other_process(path: Path, line: Connection) -> None:
    """A second process of the host: it takes in each row that it is told of, and answers what it finds."""
    engine = LayeredEngine(Snapshot.open(path, KEY), KEY)
    engine.match([bytes(32)] * OF_A_PHOTO, THRESHOLD)
    line.send(shared_memory(path))
    while message := line.recv():
        engine.add([message])
        line.send(engine.match([message[1]], THRESHOLD))
    line.send(shared_memory(path))


def shared_memory(path: Path) -> int:
    """This process's share of the pages of the file, in bytes: each page is shared out among those who map it."""
    try:
        lines = Path("/proc/self/smaps").read_text().splitlines()
    except OSError:
        return 0
    total, is_ours = 0, False
    for line in lines:
        name, _, rest = line.partition(":")
        if "-" in name.split(" ")[0]:
            is_ours = line.endswith(str(path))
        elif is_ours and name == "Pss":
            total += 1024 * int(rest.split()[0])
    return total


def across_processes(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    lines, processes = [], []
    for _ in range(3):
        ours, theirs = context.Pipe()
        process = context.Process(target=other_process, args=(path, theirs))
        process.start()
        lines.append(ours)
        processes.append(process)
    for line in lines:
        line.recv()
    dice = np.random.default_rng(9)
    times = [told(lines[0], (-1 - n, dice.bytes(32))) for n in range(100)]
    for line in lines:
        line.send(None)
    shares = [line.recv() / 1e6 for line in lines]
    for process in processes:
        process.join()
    times.sort()
    print(
        f"\nadd here, match in another process: median {times[50] * 1000:.2f} ms,"
        f" slowest of 100 {times[-1] * 1000:.2f} ms"
    )
    print(
        f"3 processes hold a snapshot of {path.stat().st_size / 1e6:.1f} MB in "
        f"{' + '.join(f'{share:.1f}' for share in shares)} = {sum(shares):.1f} MB"
    )


def told(line: Connection, row: tuple[int, bytes]) -> float:
    started = time.perf_counter()
    line.send(row)
    (found,) = line.recv()
    took = time.perf_counter() - started
    if found[1:] != (row[0], 0):
        raise SystemExit("The other process does not find the row.")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="10,000,000 hashes too")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with folder() as home:
        for size in SIZES:
            compare(size, options.rounds, home / f"{size}")
        across_processes(home / f"{SIZES[-1]}")
        if options.large:
            compare(LARGE, max(3, options.rounds // 4), home / f"{LARGE}")


if __name__ == "__main__":
    main()
