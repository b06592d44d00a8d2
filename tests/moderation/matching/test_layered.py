"""The layers: what is counted, withdrawn and written anew."""

from pathlib import Path

import pytest

from moderation.matching import (
    Found,
    LayeredEngine,
    Snapshot,
    bytes_of,
    row_checksum,
    write_snapshot,
)
from tests.moderation.matching.planting import KEY, at_distance, hashes, rebased


@pytest.fixture
def layered(tmp_path: Path) -> LayeredEngine:
    """100 rows in the base, 10 in the delta."""
    engine = LayeredEngine(None, KEY)
    engine.add(enumerate(hashes(100)))
    engine = rebased(engine, tmp_path / "rows")
    engine.add(enumerate(hashes(10, seed=2), start=100))
    return engine


def exported(engine: LayeredEngine) -> dict[int, bytes]:
    rows = engine.export()
    return dict(zip(rows.ids.tolist(), bytes_of(rows.words), strict=True))


class TestSizes:
    def test_tell_the_layers_apart(self, layered: LayeredEngine) -> None:
        layered.withdraw([1, 2, 100, 1])

        assert (len(layered), layered.delta_size, layered.withdrawn_count) == (
            107,
            9,
            2,
        )

    def test_grow_by_a_changed_row_in_both(self, layered: LayeredEngine) -> None:
        layered.add([(1, bytes(32))])

        assert (len(layered), layered.delta_size, layered.withdrawn_count) == (
            110,
            11,
            1,
        )

    def test_do_not_grow_by_a_row_said_again(self, layered: LayeredEngine) -> None:
        layered.add(enumerate(hashes(100)))

        assert (layered.delta_size, layered.withdrawn_count) == (10, 0)


class TestChanges:
    def test_a_row_of_the_base_comes_back_with_its_old_hash(
        self, layered: LayeredEngine
    ) -> None:
        value = hashes(1)[0]
        before = layered.checksum

        layered.add([(0, at_distance(value, 5))])
        assert layered.match([value], 31) == [Found(0, 0, 5)]
        layered.withdraw([0])
        assert layered.match([value], 31) == []
        layered.add([(0, value)])

        assert layered.match([value], 31) == [Found(0, 0, 0)]
        assert (len(layered), layered.checksum) == (110, before)

    def test_rows_of_both_layers_come_in_order(self, layered: LayeredEngine) -> None:
        value = hashes(1)[0]
        layered.add([(200, at_distance(value, 9)), (201, value)])

        assert layered.match([bytes(32), value], 31) == [
            Found(1, 0, 0),
            Found(1, 201, 0),
            Found(1, 200, 9),
        ]


class TestExport:
    def test_is_what_matches(self, layered: LayeredEngine) -> None:
        layered.withdraw([1, 100])
        layered.add([(2, bytes(32))])

        expected = dict(enumerate(hashes(100) + hashes(10, seed=2)))
        del expected[1], expected[100]
        expected[2] = bytes(32)
        assert exported(layered) == expected

    def test_makes_the_next_base(self, layered: LayeredEngine, tmp_path: Path) -> None:
        layered.withdraw([1, 100])

        fresh = rebased(layered, tmp_path / "next")

        assert exported(fresh) == exported(layered)
        assert (len(fresh), fresh.checksum) == (len(layered), layered.checksum)
        assert (fresh.delta_size, fresh.withdrawn_count) == (0, 0)

    def test_of_nothing_is_an_empty_base(self, tmp_path: Path) -> None:
        fresh = rebased(LayeredEngine(None, KEY), tmp_path / "rows")

        assert len(fresh) == 0
        assert fresh.match(hashes(2), 256) == []


def test_hashes_of_64_bits_lie_in_layers_too(tmp_path: Path) -> None:
    values = hashes(50, size=8)
    engine = LayeredEngine(None, KEY, bits=64)
    engine.add(enumerate(values))
    engine = rebased(engine, tmp_path / "rows", bits=64)
    engine.add([(3, at_distance(values[3], 8)), (50, at_distance(values[4], 9))])

    assert engine.match([values[3], values[4]], 8) == [Found(0, 3, 8), Found(1, 4, 0)]
    with pytest.raises(ValueError, match="8 bytes"):
        engine.match([bytes(32)], 8)


def test_a_base_keeps_its_number(tmp_path: Path) -> None:
    write_snapshot(
        tmp_path / "rows", *LayeredEngine(None, KEY).export(), number=12, key=KEY
    )

    base = Snapshot.open(tmp_path / "rows", KEY)

    assert (base.number, base.checksum) == (12, 0)


def test_the_checksum_is_under_the_key(layered: LayeredEngine) -> None:
    rows = exported(layered)

    assert layered.checksum == (
        sum(row_checksum(*row, KEY) for row in rows.items()) % 2**64
    )
