"""Every match among 100,000 rows, for each way in which the rows may lie, and whichever road the search takes."""

from pathlib import Path

import numpy as np
import pytest

from moderation.matching import (
    Engine,
    Found,
    LayeredEngine,
    NumpyEngine,
    Rows,
    Snapshot,
    bytes_of,
    words_of,
    write_snapshot,
)
from moderation.matching.checksum import Words, total_checksum
from moderation.matching.milvus import MilvusEngine
from tests.moderation.matching.conftest import MILVUS
from tests.moderation.matching.planting import KEY, at_distance, hashes

SIZE = 100_000
QUESTIONS = hashes(6, seed=7)
CROWDED = QUESTIONS[4]  # one row in ten shares two of its bands
POPULAR = QUESTIONS[5]  # and this one was banked 1,500 times
THRESHOLDS = [0, 10, 15, 31, 32, 40, 47, 55, 63, 80]
WAYS = ["numpy", "in_base", "in_delta", "mixed", MILVUS]


def bank() -> Rows:
    planted = [
        at_distance(question, distance, seed=1_000 * number + distance)
        for number, question in enumerate(QUESTIONS)
        for distance in range(91)
    ]
    words = np.random.default_rng(3).integers(0, 2**64, (SIZE, 4), np.uint64)
    words[: len(planted)] = words_of(planted)
    words[1_000:2_500] = words_of([POPULAR])
    bands = words.view(np.uint16)
    bands[10_000:20_000, [0, 9]] = words_of([CROWDED]).view(np.uint16)[:, [0, 9]]
    ids = np.random.default_rng(4).permutation(SIZE) * 1_000 - 5_000_000
    return Rows(ids, words)


def truth(rows: Rows, questions: list[bytes], threshold: int) -> list[Found]:
    found = []
    for number, question in enumerate(words_of(questions)):
        apart = np.bitwise_count(rows.words ^ question).sum(axis=1, dtype=int)
        near = np.flatnonzero(apart <= threshold)
        ids, near_by = rows.ids[near].tolist(), apart[near].tolist()
        found += [Found(number, *pair) for pair in zip(ids, near_by, strict=True)]
    return sorted(found, key=lambda match: (match.query, match.distance, match.id))


def pick(rows: Rows, chosen: slice) -> Rows:
    return Rows(rows.ids[chosen], rows.words[chosen])


@pytest.fixture(scope="module")
def rows() -> Rows:
    return bank()


@pytest.fixture(scope="module")
def embedded(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Engine]:
    path = tmp_path_factory.mktemp("bank") / "rows"
    plain, in_delta = NumpyEngine(KEY), LayeredEngine(None, KEY)
    plain.add_rows(rows)
    in_delta.add_rows(rows)
    write_snapshot(path, *rows, number=1, key=KEY)
    in_base = LayeredEngine(Snapshot.open(path, KEY), KEY)
    write_snapshot(path, *pick(rows, slice(0, None, 2)), number=2, key=KEY)
    mixed = LayeredEngine(Snapshot.open(path, KEY), KEY)
    mixed.add_rows(pick(rows, slice(1, None, 2)))
    return {
        "numpy": plain,
        "in_base": in_base,
        "in_delta": in_delta,
        "mixed": mixed,
    }


@pytest.fixture(scope="module")
def in_milvus(rows: Rows, milvus_address: str) -> MilvusEngine:
    engine = MilvusEngine.connect(milvus_address, "recall", KEY)
    engine.add_rows(rows)
    return engine


@pytest.fixture(params=WAYS)
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "milvus":
        return request.getfixturevalue("in_milvus")
    return request.getfixturevalue("embedded")[request.param]


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_finds_exactly_the_rows_within_the_threshold(
    engine: Engine, rows: Rows, threshold: int
) -> None:
    found = engine.match(QUESTIONS, threshold)

    assert found == truth(rows, QUESTIONS, threshold)
    assert len(found) > 6 * threshold + 1_500


def test_finds_the_same_one_by_one(engine: Engine, rows: Rows) -> None:
    for question in QUESTIONS:
        assert engine.match([question], 31) == truth(rows, [question], 31)


def rotated(words: Words) -> list[bytes]:
    """Each row with 31 bits flipped: 2 in fifteen bands and 1 in the sixteenth, another one for each row."""
    flips = np.full((len(words), 16), 0b11, np.uint16)
    flips[np.arange(len(words)), np.arange(len(words)) % 16] = 1
    return bytes_of(words ^ flips.view(np.uint64))


def test_finds_all_that_differ_in_every_band(engine: Engine, rows: Rows) -> None:
    chosen = slice(50_000, 50_160)

    found = engine.match(rotated(rows.words[chosen]), 31)

    expected = enumerate(rows.ids[chosen].tolist())
    assert found == [Found(number, id, 31) for number, id in expected]


def test_counts_and_sums_the_same_rows(engine: Engine, rows: Rows) -> None:
    assert len(engine) == SIZE
    assert engine.checksum == total_checksum(*rows, KEY)


def test_short_hashes_are_found_beyond_one_shard(tmp_path: Path) -> None:
    count = 2**20 + 40_000
    dice = np.random.default_rng(5)
    words = dice.integers(0, 2**64, (count, 1), np.uint64)
    rows = Rows(np.arange(count), words)
    write_snapshot(tmp_path / "rows", *rows, number=1, key=KEY)
    base = Snapshot.open(tmp_path / "rows", KEY)

    for threshold in (0, 8, 11):
        chosen = [3, 2**20 - 1, 2**20, count - 1]
        questions = [
            at_distance(value, threshold, seed=threshold)
            for value in bytes_of(words[chosen])
        ]
        found = base.match(questions, threshold)
        assert [
            (f.query, f.id) for f in found if f.distance == threshold and f.id in chosen
        ] == list(enumerate(chosen))
        asked = words_of(questions, 64)[:, 0]
        apart = [np.bitwise_count(words[:, 0] ^ value) for value in asked]
        assert len(found) == sum(int((a <= threshold).sum()) for a in apart)
