"""The embedded engine: an exact scan of four columns of 64 bits, in numpy alone.

The distance over the first 128 bits is never more than the whole distance, so a scan of two columns rules out nearly
every row and loses none; the other two are read for the few that remain.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moderation.matching.engine import (
    FIRST_FACTOR,
    GOLDEN,
    HASH_BYTES,
    MASK,
    SECOND_FACTOR,
    Found,
    checked_hash,
    checked_threshold,
)

Words = NDArray[np.uint64]
Rows = NDArray[np.intp]

COLUMNS: Final = HASH_BYTES // 8
BLOCK: Final = (
    65_536  # rows at a time: fewer calls, and the scratch still fits the cache
)
MIN_CAPACITY: Final = 1_024


@dataclass(frozen=True)
class Table:
    """One generation of the rows. Readers hold the generation they began with."""

    words: Words  # one row per column of the table, so that each column is contiguous
    ids: NDArray[np.int64]
    is_live: NDArray[np.bool_]
    length: int

    @classmethod
    def of_capacity(cls, capacity: int) -> "Table":
        return cls(
            np.zeros((COLUMNS, capacity), np.uint64),
            np.zeros(capacity, np.int64),
            np.zeros(capacity, np.bool_),
            0,
        )


class Scratch(threading.local):
    """Work space of one thread. Shared between threads, it silently loses matches."""

    def __init__(self) -> None:
        self.words = np.empty(BLOCK, np.uint64)
        self.counts = np.empty(BLOCK, np.uint8)
        self.more_counts = np.empty(BLOCK, np.uint8)
        self.is_near = np.empty(BLOCK, np.bool_)


class NumpyEngine:
    """An `Engine` in this process's memory; any number of threads may use it at once."""

    def __init__(self) -> None:
        self._table = Table.of_capacity(MIN_CAPACITY)
        self._live_count = 0
        self._checksum = 0
        self._writing = threading.Lock()
        self._scratch = Scratch()

    def __len__(self) -> int:
        return self._live_count

    @property
    def checksum(self) -> int:
        return self._checksum

    def add(self, rows: Iterable[tuple[int, bytes]]) -> None:
        latest = {id: checked_hash(hash) for id, hash in rows}
        ids = np.fromiter(latest, np.int64, len(latest))
        words = np.ascontiguousarray(_words(latest.values()).T)
        with self._writing:
            is_new = ~self._holds(ids, words)
            boundary = self._append(ids[is_new], words[:, is_new])
            # Only now: a changed row may be found twice for a moment, never not at all.
            self._forget(self._rows_of(ids[is_new], boundary))

    def withdraw(self, ids: Iterable[int]) -> None:
        unwanted = np.fromiter(ids, np.int64)
        with self._writing:
            self._forget(self._rows_of(unwanted, self._table.length))

    def match(self, hashes: Sequence[bytes], threshold: int) -> list[Found]:
        checked_threshold(threshold)
        queries = list(enumerate(_words(map(checked_hash, hashes))))
        table = self._table
        found = [
            match
            for start in range(0, table.length, BLOCK)
            for number, query in queries
            for match in self._matches(table, start, number, query, threshold)
        ]
        return sorted(found, key=lambda match: (match.query, match.distance, match.id))

    def _matches(
        self, table: Table, start: int, number: int, query: Words, threshold: int
    ) -> Iterable[Found]:
        rows = self._near(table, start, query, threshold)
        if not rows.size:
            return ()
        differing = np.bitwise_count(table.words[:, rows] ^ query[:, None])
        distances = differing.sum(axis=0, dtype=np.int64)
        # Read after the words: a row withdrawn meanwhile may show wiped words, never as live.
        wanted = (distances <= threshold) & table.is_live[rows]
        pairs = zip(table.ids[rows[wanted]], distances[wanted], strict=True)
        return [Found(number, int(id), int(distance)) for id, distance in pairs]

    def _near(self, table: Table, start: int, query: Words, threshold: int) -> Rows:
        """Rows of one block whose first two words alone are within the threshold."""
        part = slice(start, min(start + BLOCK, table.length))
        size = part.stop - part.start
        scratch = self._scratch
        words, counts = scratch.words[:size], scratch.counts[:size]
        more, is_near = scratch.more_counts[:size], scratch.is_near[:size]
        np.bitwise_xor(table.words[0, part], query[0], out=words)
        np.bitwise_count(words, out=counts)
        np.bitwise_xor(table.words[1, part], query[1], out=words)
        np.bitwise_count(words, out=more)
        np.add(counts, more, out=counts)
        np.less_equal(counts, min(threshold, 128), out=is_near)
        return np.flatnonzero(is_near) + start

    def _rows_of(self, ids: NDArray[np.int64], length: int) -> Rows:
        """The live rows among the first `length` that bear one of these ids."""
        if not ids.size or not length:
            return np.empty(0, np.intp)
        table = self._table
        return np.flatnonzero(np.isin(table.ids[:length], ids) & table.is_live[:length])

    def _holds(self, ids: NDArray[np.int64], words: Words) -> NDArray[np.bool_]:
        """Which of these rows are here already, id and hash."""
        rows = self._rows_of(ids, self._table.length)
        if not rows.size:
            return np.zeros(ids.size, np.bool_)
        rows = rows[np.argsort(self._table.ids[rows])]
        known = self._table.ids[rows]
        nearest = rows[np.minimum(np.searchsorted(known, ids), rows.size - 1)]
        has_id = self._table.ids[nearest] == ids
        has_hash = (self._table.words[:, nearest] == words).all(axis=0)
        held: NDArray[np.bool_] = has_id & has_hash
        return held

    def _append(self, ids: NDArray[np.int64], words: Words) -> int:
        """Publish new rows; return where in the table they begin."""
        if self._table.length + ids.size > self._table.ids.size:
            self._table = _compacted(self._table, self._live_count + ids.size)
        table = self._table
        start, stop = table.length, table.length + ids.size
        table.words[:, start:stop] = words
        table.ids[start:stop] = ids
        table.is_live[start:stop] = True
        self._table = replace(table, length=stop)
        self._live_count += ids.size
        self._checksum = self._checksum + _checksum(ids, words) & MASK
        return start

    def _forget(self, rows: Rows) -> None:
        if not rows.size:
            return
        table = self._table
        removed = _checksum(table.ids[rows], table.words[:, rows])
        table.is_live[rows] = False
        table.words[:, rows] = 0  # a withdrawn hash leaves the memory too
        self._live_count -= rows.size
        self._checksum = self._checksum - removed & MASK
        if table.length - self._live_count > max(MIN_CAPACITY, self._live_count):
            self._table = _compacted(table, self._live_count)


def _words(hashes: Iterable[bytes]) -> Words:
    return np.frombuffer(b"".join(hashes), ">u8").reshape(-1, COLUMNS).astype(np.uint64)


def _compacted(table: Table, need: int) -> Table:
    """A new generation with the live rows of `table` and room to grow."""
    fresh = Table.of_capacity(max(MIN_CAPACITY, need + need // 2))
    rows = np.flatnonzero(table.is_live[: table.length])
    fresh.words[:, : rows.size] = table.words[:, rows]
    fresh.ids[: rows.size] = table.ids[rows]
    fresh.is_live[: rows.size] = True
    return replace(fresh, length=int(rows.size))


def _checksum(ids: NDArray[np.int64], words: Words) -> int:
    """The sum of `engine.row_checksum` over many rows."""
    mixed = _mix(ids.view(np.uint64))
    for column in words:
        mixed = _mix(mixed ^ column)
    return int(mixed.sum())


def _mix(values: Words) -> Words:
    values = values + np.uint64(GOLDEN)
    values = (values ^ values >> np.uint64(30)) * np.uint64(FIRST_FACTOR)
    values = (values ^ values >> np.uint64(27)) * np.uint64(SECOND_FACTOR)
    return values ^ values >> np.uint64(31)
