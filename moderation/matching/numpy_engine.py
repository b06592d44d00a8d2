"""The embedded engine: an exact scan, in this process's memory, in numpy alone."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moderation.matching.checksum import (
    MASK,
    NO_KEY,
    Ids,
    Words,
    checked_key,
    total_checksum,
)
from moderation.matching.engine import (
    HASH_BITS,
    Found,
    Rows,
    checked_hash,
    checked_threshold,
    in_order,
    words_of,
)
from moderation.matching.scanning import (
    Candidates,
    Numbers,
    Scratch,
    as_found,
    distances,
    scan,
)

MIN_CAPACITY: Final = 1_024


@dataclass(frozen=True)
class Table:
    """One generation of the rows. Readers hold the generation they began with."""

    words: Words  # rows x words, kept column by column: a scan reads whole columns
    ids: Ids
    is_live: NDArray[np.bool_]
    length: int

    @classmethod
    def of_capacity(cls, capacity: int, width: int) -> "Table":
        return cls(
            np.zeros((width, capacity), np.uint64).T,
            np.zeros(capacity, np.int64),
            np.zeros(capacity, np.bool_),
            0,
        )

    def compacted(self, need: int) -> "Table":
        """A new generation with the live rows of this one and room to grow."""
        capacity = max(MIN_CAPACITY, need + need // 2)
        fresh = Table.of_capacity(capacity, self.words.shape[1])
        rows = np.flatnonzero(self.is_live[: self.length])
        fresh.words[: rows.size] = self.words[rows]
        fresh.ids[: rows.size] = self.ids[rows]
        fresh.is_live[: rows.size] = True
        return replace(fresh, length=int(rows.size))


class NumpyEngine:
    """An `Engine` of hashes of 256 or 64 bits; any number of threads may use it at once."""

    def __init__(self, key: bytes = NO_KEY, bits: int = HASH_BITS) -> None:
        self._key = checked_key(key)
        self._bits = bits
        self._table = Table.of_capacity(MIN_CAPACITY, bits // 64)
        self._live_count = 0
        self._checksum = 0
        self._change_count = 0  # of rows that got another hash
        self._writing = threading.Lock()
        self._scratch = Scratch()

    def __len__(self) -> int:
        return self._live_count

    @property
    def checksum(self) -> int:
        return self._checksum

    def add(self, rows: Iterable[tuple[int, bytes]]) -> None:
        latest = {id: checked_hash(hash, self._bits) for id, hash in rows}
        ids = np.fromiter(latest, np.int64, len(latest))
        self.add_rows(Rows(ids, words_of(latest.values(), self._bits)))

    def add_rows(self, rows: Rows) -> None:
        """`add` of many rows at once, each under an id of its own."""
        with self._writing:
            is_new = ~self._holds(rows)
            ids, words = rows.ids[is_new], rows.words[is_new]
            boundary = self._append(ids, words)
            changed = self._rows_of(ids, boundary)
            self._change_count += changed.size
            # Only now: a changed row may be found twice for a moment, never not at all.
            self._forget(changed)

    def withdraw(self, ids: Iterable[int]) -> None:
        unwanted = np.fromiter(ids, np.int64)
        with self._writing:
            self._forget(self._rows_of(unwanted, self._table.length))

    def match(self, hashes: Sequence[bytes], threshold: int) -> list[Found]:
        checked_threshold(threshold, self._bits)
        queries = words_of(hashes, self._bits)
        while True:
            change_count = self._change_count
            found = self._match(queries, threshold)
            # Else this generation may lack the new hash of a row, whose old one was forgotten meanwhile.
            if self._change_count == change_count:
                return in_order(found)

    def _match(self, queries: Words, threshold: int) -> list[Found]:
        table = self._table
        words = table.words[: table.length]
        return [
            found
            for near in scan(words, queries, threshold, self._scratch)
            for found in _verified(table, near, queries, threshold)
        ]

    def export(self) -> Rows:
        """All live rows at one moment."""
        with self._writing:
            table = self._table
            rows = np.flatnonzero(table.is_live[: table.length])
            return Rows(table.ids[rows], table.words[rows])

    def _rows_of(self, ids: Ids, length: int) -> Numbers:
        """The live rows among the first `length` that bear one of these ids."""
        if not ids.size or not length:
            return np.empty(0, np.intp)
        table = self._table
        return np.flatnonzero(np.isin(table.ids[:length], ids) & table.is_live[:length])

    def _holds(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these rows are here already, id and hash."""
        held = self._rows_of(rows.ids, self._table.length)
        return same_rows(rows, Rows(self._table.ids[held], self._table.words[held]))

    def _append(self, ids: Ids, words: Words) -> int:
        """Publish new rows; return where in the table they begin."""
        if self._table.length + ids.size > self._table.ids.size:
            self._table = self._table.compacted(self._live_count + ids.size)
        table = self._table
        start, stop = table.length, table.length + ids.size
        table.words[start:stop] = words
        table.ids[start:stop] = ids
        table.is_live[start:stop] = True
        self._table = replace(table, length=stop)
        self._live_count += ids.size
        self._checksum = self._checksum + total_checksum(ids, words, self._key) & MASK
        return start

    def _forget(self, rows: Numbers) -> None:
        if not rows.size:
            return
        table = self._table
        removed = total_checksum(table.ids[rows], table.words[rows], self._key)
        table.is_live[rows] = False
        table.words[rows] = 0  # a withdrawn hash leaves the memory too
        self._live_count -= rows.size
        self._checksum = self._checksum - removed & MASK
        if table.length - self._live_count > max(MIN_CAPACITY, self._live_count):
            self._table = table.compacted(self._live_count)


def same_rows(rows: Rows, held: Rows) -> NDArray[np.bool_]:
    """Which of these rows are among the held ones, id and hash; held ids are distinct."""
    if not held.ids.size:
        return np.zeros(rows.ids.size, np.bool_)
    order = np.argsort(held.ids)
    known = held.ids[order]
    nearest = order[np.minimum(np.searchsorted(known, rows.ids), order.size - 1)]
    has_id = held.ids[nearest] == rows.ids
    has_hash = (held.words[nearest] == rows.words).all(axis=1)
    same: NDArray[np.bool_] = has_id & has_hash
    return same


def _verified(
    table: Table, near: Candidates, queries: Words, threshold: int
) -> Iterable[Found]:
    apart = distances(table.words[near.rows], queries[near.queries])
    # Read after the words: a row withdrawn meanwhile may show wiped words, never as live.
    wanted = (apart <= threshold) & table.is_live[near.rows]
    return as_found(near.queries[wanted], table.ids[near.rows[wanted]], apart[wanted])
