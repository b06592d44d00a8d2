"""The rows of a base in memory, a million at a time: the multi-index where it helps, the scan where it does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from moderation.matching.bands import (
    BAND_BITS,
    BUCKETS,
    BandIndex,
    Probes,
    Ranges,
    probes_for,
)
from moderation.matching.checksum import Ids, Words
from moderation.matching.engine import Found, Rows
from moderation.matching.scanning import (
    Candidates,
    Numbers,
    Scratch,
    as_found,
    distances,
    scan,
)

MIN_INDEXED: Final = 32_768  # fewer rows are scanned as fast
SCAN_SHARE: Final = 8  # comparing a candidate costs as much as scanning 8 rows
AT_ONCE: Final = 65_536  # candidates in memory at a time
FEW_IDS: Final = 16


@dataclass(frozen=True)
class Shard:
    """Rows x words, in the order of the index if there is one; each id as its difference from the smallest."""

    words: Words
    ids: NDArray[np.integer[Any]]
    id_base: int
    index: BandIndex | None

    def match(
        self, queries: Words, threshold: int, scratch: Scratch
    ) -> Iterator[Found]:
        for candidates in self._candidates(queries, threshold, scratch):
            near = self._verified(candidates, queries, threshold)
            if near.rows.size:
                apart = distances(self.words[near.rows], queries[near.queries])
                yield from as_found(near.queries, self.real_ids(near.rows), apart)

    def fetch(self, ids: Ids) -> Rows:
        wanted = np.unique(ids)
        wanted = wanted[(wanted >= self.lowest_id) & (wanted <= self.highest_id)]
        rows = self._rows_of((wanted - self.id_base).astype(self.ids.dtype))
        return Rows(self.real_ids(rows), self.words[rows])

    # New rows have higher ids, and are not looked for.
    @cached_property
    def lowest_id(self) -> int:
        return int(self.ids.min()) + self.id_base

    @cached_property
    def highest_id(self) -> int:
        return int(self.ids.max()) + self.id_base

    def real_ids(self, rows: Numbers | slice) -> Ids:
        return self.ids[rows].astype(np.int64) + self.id_base

    def _rows_of(self, ids: NDArray[np.integer[Any]]) -> Numbers:
        if ids.size > FEW_IDS:
            return np.flatnonzero(np.isin(self.ids, ids))
        rows = [np.flatnonzero(self.ids == id) for id in ids]
        return np.concatenate([np.empty(0, np.intp), *rows])

    def _candidates(
        self, queries: Words, threshold: int, scratch: Scratch
    ) -> Iterator[Candidates]:
        probes = probes_for(threshold, self.words.shape[1] * 64 // BAND_BITS)
        if (
            self.index is None
            or probes is None
            or len(probes.masks) * SCAN_SHARE > BUCKETS
        ):
            yield from scan(self.words, queries, threshold, scratch)
        else:
            yield from self._indexed(self.index, queries, threshold, probes, scratch)

    def _indexed(
        self,
        index: BandIndex,
        queries: Words,
        threshold: int,
        probes: Probes,
        scratch: Scratch,
    ) -> Iterator[Candidates]:
        ranges = index.ranges(queries, probes)
        totals = ranges.lengths.sum(axis=0)
        # Real hashes crowd: where a query's buckets are too full, the scan is the bound.
        is_crowded = totals * SCAN_SHARE > len(self.words)
        for group in _groups(np.flatnonzero(~is_crowded), totals):
            part = Ranges(ranges.starts[:, group], ranges.lengths[:, group])
            near = index.candidates(part, probes)
            yield Candidates(group[near.queries], near.rows)
        crowded = np.flatnonzero(is_crowded)
        if crowded.size:
            for near in scan(self.words, queries[crowded], threshold, scratch):
                yield Candidates(crowded[near.queries], near.rows)

    def _verified(self, near: Candidates, queries: Words, threshold: int) -> Candidates:
        """The pairs that do lie within the threshold, each once."""
        words = self.words.take(near.rows, axis=0)
        words ^= queries.take(near.queries, axis=0)
        counts = np.bitwise_count(words)
        close = np.flatnonzero(_sum_rows(counts) <= threshold)
        if not close.size:
            return Candidates(close, close)
        pairs = near.queries[close] * len(self.words) + near.rows[close]
        return Candidates(*np.divmod(np.unique(pairs), len(self.words)))


def _sum_rows(counts: NDArray[np.uint8]) -> NDArray[np.uint32] | NDArray[np.uint8]:
    """Sums of rows of 4 counts of up to 64, or of 1."""
    if counts.shape[1] == 1:
        return counts[:, 0]
    fours = counts.view(np.uint32)[:, 0]
    pairs = (fours & np.uint32(0x00FF00FF)) + (fours >> np.uint32(8) & 0x00FF00FF)
    sums: NDArray[np.uint32] = pairs + (pairs >> np.uint32(16)) & np.uint32(0xFFFF)
    return sums


def _groups(queries: Numbers, totals: Numbers) -> Iterator[Numbers]:
    """Cut queries into runs with no more than `AT_ONCE` candidates, or one query each."""
    start = total = 0
    for position, query in enumerate(queries):
        if total and total + totals[query] > AT_ONCE:
            yield queries[start:position]
            start, total = position, 0
        total += int(totals[query])
    if total:
        yield queries[start:]
