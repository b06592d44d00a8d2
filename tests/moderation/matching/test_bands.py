"""The multi-index: its buckets hold every row within the threshold, whichever bits differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.matching import words_of
from moderation.matching.bands import (
    BUCKETS,
    MASK_COUNTS,
    MASKS,
    band_order,
    bands_of,
    build,
    probes_for,
)
from moderation.matching.checksum import Words
from tests.moderation.matching.naive import apart
from tests.moderation.matching.planting import hashes


def candidates(rows: Words, queries: Words, threshold: int) -> set[tuple[int, int]]:
    """(query, row) for every row of the buckets; rows are numbered as they were given."""
    order = band_order(rows)
    index = build(rows[order])
    probes = probes_for(threshold, bands_of(rows).shape[1])
    assert probes is not None
    found = index.candidates(index.ranges(queries, probes), probes)
    return set(zip(found.queries.tolist(), order[found.rows].tolist(), strict=True))


def spread(flips: list[int], dice: np.random.Generator) -> Words:
    """A row of words with so many bits set in each band."""
    bands = [
        sum(1 << int(bit) for bit in dice.permutation(16)[:count]) for count in flips
    ]
    return np.array(bands, np.uint16).view(np.uint64)[None]


class TestCandidates:
    @pytest.mark.parametrize("lucky", range(16))
    @pytest.mark.parametrize("share", [0, 1, 2, 3])
    def test_hold_the_row_that_differs_in_every_band(
        self, share: int, lucky: int
    ) -> None:
        """One flip too many in all bands but one: the worst that the threshold allows."""
        dice = np.random.default_rng(lucky)
        query = words_of(hashes(1, seed=lucky))
        flips = [share + 1] * 16
        flips[lucky] = share

        row = query ^ spread(flips, dice)

        assert candidates(row, query, sum(flips)) == {(0, 0)}

    @settings(max_examples=60, deadline=None)
    @given(
        flips=st.lists(st.integers(0, 8), min_size=16, max_size=16),
        spare=st.integers(0, 3),
        seed=st.integers(0, 2**32),
    )
    def test_hold_every_row_within_the_threshold(
        self, flips: list[int], spare: int, seed: int
    ) -> None:
        dice = np.random.default_rng(seed)
        query = words_of(hashes(1, seed=seed))
        while sum(flips) + spare > 63:
            flips[int(dice.integers(16))] = 0
        others = words_of(hashes(20, seed=seed + 1))

        rows = np.concatenate([others, query ^ spread(flips, dice)])

        assert (0, 20) in candidates(rows, query, sum(flips) + spare)

    @pytest.mark.parametrize("threshold", range(9))
    def test_hold_every_short_hash_within_the_threshold(self, threshold: int) -> None:
        query = int.from_bytes(hashes(1, size=8)[0])
        values = [query ^ (2**threshold - 1) << shift for shift in range(64)]
        rows = [(value % 2**64).to_bytes(8) for value in values]
        within = {
            (0, row)
            for row, value in enumerate(rows)
            if apart(value, query.to_bytes(8)) <= threshold
        }

        found = candidates(
            words_of(rows, 64), words_of([query.to_bytes(8)], 64), threshold
        )

        assert len(within) == 64
        assert within <= found

    @pytest.mark.parametrize("count", [1, 2, 199, 70_001])
    def test_are_all_rows_of_the_buckets_and_no_others(self, count: int) -> None:
        """70,001 rows: their numbers take more than 16 bits, and the last shares its byte with none."""
        dice = np.random.default_rng(count)
        rows = dice.integers(0, 2**64, (count, 4), np.uint64)
        queries = rows[:: max(1, count // 3)][:3]
        probes = probes_for(20, 16)
        assert probes is not None
        keys = bands_of(queries)[:, probes.bands] ^ probes.masks
        bands = bands_of(rows)
        expected = {
            (query, row)
            for query in range(len(queries))
            for band in range(16)
            for row in np.flatnonzero(
                np.isin(bands[:, band], keys[query, probes.bands == band])
            ).tolist()
        }

        assert candidates(rows, queries, 20) == expected


class TestProbes:
    def test_of_no_bits_are_one_bucket(self) -> None:
        probes = probes_for(0, 16)

        assert probes is not None
        assert (probes.bands.tolist(), probes.masks.tolist()) == ([0], [0])

    def test_of_31_bits_are_one_flip_in_each_of_16_bands(self) -> None:
        probes = probes_for(31, 16)

        assert probes is not None
        assert np.bincount(probes.bands).tolist() == [17] * 16

    def test_of_too_many_bits_are_none(self) -> None:
        assert probes_for(63, 16) is not None
        assert probes_for(64, 16) is None

    def test_masks_are_all_the_ways_to_flip_a_few_bits(self) -> None:
        flips = np.bitwise_count(np.arange(BUCKETS, dtype=np.uint16))

        for limit, count in enumerate(MASK_COUNTS[1:]):
            assert set(MASKS[:count].tolist()) == set(
                np.flatnonzero(flips <= limit).tolist()
            )
