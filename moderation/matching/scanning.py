"""An exact scan of columns of 64 bits.

The distance over the first words is never more than the whole distance, so a scan of as many words as rule out nearly
every row loses none; the others are read for the few that remain.
"""

import threading
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.matching.checksum import Ids, Words
from moderation.matching.engine import Found

Numbers = NDArray[np.intp]

BLOCK: Final = (
    65_536  # comparisons at a time: few calls, and the scratch fits the cache
)
# Up to which threshold the first 1, 2, 3 words of random hashes pass fewer than one row in 500.
PREFIXES: Final = (16, 47, 75)


class Candidates(NamedTuple):
    """Pairs that may match: the position in the question, and the row of the table."""

    queries: Numbers
    rows: Numbers


class Scratch(threading.local):
    """Work space of one thread. Shared between threads, it silently loses matches."""

    def __init__(self) -> None:
        self.words = np.empty(BLOCK, np.uint64)
        self.counts = np.empty(BLOCK, np.uint8)
        self.more_counts = np.empty(BLOCK, np.uint8)
        self.is_near = np.empty(BLOCK, np.bool_)


def scan(
    words: Words, queries: Words, threshold: int, scratch: Scratch
) -> Iterator[Candidates]:
    """Every pair of a query and a row within the threshold, and a few that are not.

    Words are (n x w) in any memory order: column by column is twice as fast as row by row. Queries are (q x w).
    """
    columns = words.T[: words_needed(threshold, words.shape[1])]
    for start in range(0, len(words), BLOCK):
        block = columns[:, start : start + BLOCK]
        if len(queries) > 1 and block.strides[1] != block.itemsize:
            block = np.ascontiguousarray(block)
        at_once = max(1, BLOCK // block.shape[1])
        for first in range(0, len(queries), at_once):
            some = queries[first : first + at_once]
            near = _near(block, some, threshold, scratch)
            if near.size:
                numbers, rows = np.divmod(near, block.shape[1])
                yield Candidates(numbers + first, rows + start)


def _near(block: Words, queries: Words, threshold: int, scratch: Scratch) -> Numbers:
    """Flat positions in the (queries x rows of the block) table of distances over these columns alone."""
    shape = len(queries), block.shape[1]
    size = shape[0] * shape[1]
    words = scratch.words[:size].reshape(shape)
    counts, more = scratch.counts[:size], scratch.more_counts[:size]
    for number, column in enumerate(block):
        np.bitwise_xor(column, queries[:, number, None], out=words)
        part = more if number else counts
        np.bitwise_count(words, out=part.reshape(shape))
        if number:
            np.add(counts, more, out=counts)
    near = scratch.is_near[:size]
    # Only four words can count to 256, which would be 0 in eight bits: as a candidate too many.
    np.less_equal(counts, min(threshold, 255), out=near)
    return np.flatnonzero(near)


def words_needed(threshold: int, width: int) -> int:
    return min(width, 1 + sum(threshold > limit for limit in PREFIXES))


def distances(words: Words, queries: Words) -> NDArray[np.int64]:
    """Bits that differ between each row of words and the same row of queries."""
    counts = np.bitwise_count(words ^ queries)
    total: NDArray[np.int64] = counts.sum(axis=1, dtype=np.int64)
    return total


def as_found(queries: Numbers, ids: Ids, apart: NDArray[np.int64]) -> Iterator[Found]:
    rows = zip(queries.tolist(), ids.tolist(), apart.tolist(), strict=True)
    return (Found(*row) for row in rows)
