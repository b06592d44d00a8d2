"""An exact multi-index over rows that never change, by the pigeonhole principle.

A hash is cut into bands of 16 bits. If a row lies within the threshold of a query, then in at least one band it lies
within that band's share of the flips, provided that the shares plus one add up to more than the threshold: 16 bands
with one flip each are exact up to 31 (Norouzi, Punjani and Fleet, CVPR 2012). So 272 buckets hold every match; each
row in them is then compared in full.

For each band a permutation lists the rows bucket by bucket, in 20 bits each. The rows themselves lie in the order of
band 0, which therefore needs none: 37.5 bytes for each row of 256 bits, and 4 MB for the tables of a shard.
"""

from functools import cache
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.matching.checksum import Words
from moderation.matching.scanning import Candidates, Numbers

BAND_BITS: Final = 16
BUCKETS: Final = 2**BAND_BITS
MAX_ROWS: Final = 2**20  # what 20 bits can number
MAX_FLIPS: Final = 3
# All ways to flip no more than 3 bits of a band, the fewest first; and how many flip fewer than 0, 1, 2, 3, 4.
MASKS: Final = np.array(
    [
        sum(1 << bit for bit in bits)
        for flips in range(MAX_FLIPS + 1)
        for bits in combinations(range(BAND_BITS), flips)
    ],
    np.uint16,
)
MASK_COUNTS: Final = (0, 1, 17, 137, 697)


class Probes(NamedTuple):
    """The buckets to read for one query: in each band, the query's own value with the bits of a mask flipped."""

    bands: Numbers  # ascending
    masks: NDArray[np.uint16]


class Ranges(NamedTuple):
    """Where the rows of each probe's bucket lie in the permutation of its band: probes x queries."""

    starts: Numbers
    lengths: Numbers


class BandIndex(NamedTuple):
    """The bands of the n rows of one shard; b is the number of bands."""

    starts: NDArray[np.uint32]  # b x (BUCKETS + 1): where each bucket begins
    low: NDArray[np.uint16]  # (b - 1) x n: of the permutations, the low 16 bits
    high: NDArray[np.uint8]  # (b - 1) x n/2: and the high 4, two in a byte

    def ranges(self, queries: Words, probes: Probes) -> Ranges:
        keys = bands_of(queries).T[probes.bands] ^ probes.masks[:, None]
        places = probes.bands[:, None] * (BUCKETS + 1) + keys
        starts = self.starts.ravel()
        first = starts[places].astype(np.intp)
        return Ranges(first, starts[places + 1] - first)

    def candidates(self, ranges: Ranges, probes: Probes) -> Candidates:
        """The rows in these ranges; a row that lies in several comes several times."""
        lengths = ranges.lengths.ravel()
        ends = np.cumsum(lengths)
        places = np.arange(ends[-1]) + np.repeat(
            ranges.starts.ravel() - (ends - lengths), lengths
        )
        query_count = ranges.lengths.shape[1]
        queries = np.tile(np.arange(query_count), len(probes.bands))
        # Band 0 comes first; its places are the rows.
        sizes = np.bincount(probes.bands, ranges.lengths.sum(axis=1)).astype(np.intp)
        self._permute(places[sizes[0] :], sizes[1:])
        return Candidates(np.repeat(queries, lengths), places)

    def _permute(self, places: Numbers, sizes: Numbers) -> None:
        """Make places in the permutations of bands 1, 2, ... into rows; so many of each band."""
        bands = np.repeat(np.arange(sizes.size), sizes)
        halves = self.high.ravel()[bands * self.high.shape[1] + (places >> 1)]
        high = halves >> ((places & 1) << 2).astype(np.uint8) & 15
        low = self.low.ravel()[bands * self.low.shape[1] + places]
        np.bitwise_or(low, high.astype(np.intp) << 16, out=places)


@cache
def probes_for(threshold: int, band_count: int) -> Probes | None:
    """The fewest buckets that hold every row within the threshold; None if too many would."""
    share, rest = divmod(threshold + 1, band_count)
    shares = [share + (band < rest) for band in range(band_count)]
    if shares[0] >= len(MASK_COUNTS):
        return None
    counts = [MASK_COUNTS[share] for share in shares]
    return Probes(
        np.repeat(np.arange(band_count), counts),
        np.concatenate([MASKS[:count] for count in counts]),
    )


def band_order(words: Words) -> Numbers:
    """The order of rows that `build` takes."""
    return np.argsort(bands_of(words)[:, 0], kind="stable")


def build(words: Words) -> BandIndex:
    """Index rows in `band_order`, no more than `MAX_ROWS`."""
    bands = bands_of(words)
    index = BandIndex(
        *(np.zeros(shape, dtype) for dtype, shape in shapes(*words.shape))
    )
    for number in range(bands.shape[1]):
        keys = np.ascontiguousarray(bands[:, number])
        np.cumsum(np.bincount(keys, minlength=BUCKETS), out=index.starts[number, 1:])
        if number:
            order = np.argsort(keys, kind="stable")  # of 16 bits: a radix sort
            index.low[number - 1] = order & 0xFFFF
            high = np.append(order >> 16, 0).astype(np.uint8)
            pairs = high[: 2 * index.high.shape[1]].reshape(-1, 2)
            index.high[number - 1] = pairs[:, 0] | pairs[:, 1] << 4
    return index


def shapes(count: int, width: int) -> list[tuple[np.dtype[Any], tuple[int, int]]]:
    """Types and shapes of the arrays of a `BandIndex` over so many rows of so many words."""
    band_count = width * 64 // BAND_BITS
    return [
        (np.dtype(np.uint32), (band_count, BUCKETS + 1)),
        (np.dtype(np.uint16), (band_count - 1, count)),
        (np.dtype(np.uint8), (band_count - 1, (count + 1) // 2)),
    ]


def bands_of(words: Words) -> NDArray[np.uint16]:
    """Rows x bands. Which bits make a band is the machine's own matter; it is the same for rows and queries."""
    return np.ascontiguousarray(words).view(np.uint16)
