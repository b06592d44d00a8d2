"""Hashes at known distances, and the ways in which rows may lie in a layered engine."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from moderation.matching import (
    Engine,
    Found,
    LayeredEngine,
    Snapshot,
    write_snapshot,
)

KEY = bytes(range(16))


def hashes(count: int, seed: int = 1, size: int = 32) -> list[bytes]:
    drawn = np.random.default_rng(seed).bytes(count * size)
    return [drawn[start : start + size] for start in range(0, len(drawn), size)]


def at_distance(value: bytes, bits: int, seed: int = 1) -> bytes:
    size = len(value)
    flipped = np.random.default_rng(seed).permutation(8 * size)[:bits].tolist()
    return (int.from_bytes(value) ^ sum(1 << bit for bit in flipped)).to_bytes(size)


def rebased(engine: LayeredEngine, path: Path, bits: int = 256) -> LayeredEngine:
    """The same rows, all in the base."""
    write_snapshot(path, *engine.export(), number=0, key=KEY)
    return LayeredEngine(Snapshot.open(path, KEY), KEY, bits)


class InBase:
    """A layered engine that starts on a new base after each change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = LayeredEngine(None, KEY)

    def add(self, rows: Iterable[tuple[int, bytes]]) -> None:
        self.engine.add(rows)
        self.engine = rebased(self.engine, self.path)

    def withdraw(self, ids: Iterable[int]) -> None:
        self.engine.withdraw(ids)
        self.engine = rebased(self.engine, self.path)

    def match(self, hashes: Sequence[bytes], threshold: int) -> list[Found]:
        return self.engine.match(hashes, threshold)

    def __len__(self) -> int:
        return len(self.engine)

    @property
    def checksum(self) -> int:
        return self.engine.checksum


class Mixed(InBase):
    """A layered engine with every other row in the base, and all that changes later on top."""

    def add(self, rows: Iterable[tuple[int, bytes]]) -> None:
        rows = list(rows)
        super().add(rows[::2])
        self.engine.add(rows[1::2])

    def withdraw(self, ids: Iterable[int]) -> None:
        self.engine.withdraw(ids)


MakeEngine = Callable[[], Engine]
