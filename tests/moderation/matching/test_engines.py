"""The contract of every engine: all matches within the threshold, always, and no others.

A new engine joins the fixture `make_engine` and must pass all of it.
"""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from moderation.matching import (
    Engine,
    Found,
    LayeredEngine,
    NumpyEngine,
    Snapshot,
    row_checksum,
    write_snapshot,
)
from tests.moderation.matching.naive import NaiveEngine
from tests.moderation.matching.planting import KEY, Mixed, at_distance, hashes, rebased

THRESHOLD = 31


class TestMatch:
    @pytest.mark.parametrize("threshold", [0, 10, 31, 40, 63])
    def test_finds_each_planted_neighbour_up_to_the_threshold(
        self, engine: Engine, threshold: int
    ) -> None:
        questions = hashes(5)
        planted = {
            (number, distance): 100 * number + distance
            for number in range(5)
            for distance in range(68)
        }
        engine.add(enumerate(hashes(3_000, seed=2), start=1_000))
        engine.add(
            (id, at_distance(questions[number], distance, seed=id))
            for (number, distance), id in planted.items()
        )

        assert engine.match(questions, threshold) == [
            Found(number, id, distance)
            for (number, distance), id in planted.items()
            if distance <= threshold
        ]

    @pytest.mark.parametrize("part", range(4))
    def test_counts_bits_in_every_part_of_the_hash(
        self, engine: Engine, part: int
    ) -> None:
        value = hashes(1)[0]
        low = 64 * part
        for distance in (31, 32):
            near = int.from_bytes(value) ^ (2**distance - 1 << low)
            engine.add([(distance, near.to_bytes(32))])

        assert engine.match([value], THRESHOLD) == [Found(0, 31, 31)]

    def test_finds_all_rows_of_one_hash(self, engine: Engine) -> None:
        value, other = hashes(2)
        engine.add([(7, value), (8, value), (9, other)])

        assert [match.id for match in engine.match([value], 0)] == [7, 8]

    def test_has_no_limit(self, engine: Engine) -> None:
        value = hashes(1)[0]
        engine.add((id, value) for id in range(2_500))

        assert len(engine.match([value], 0)) == 2_500

    def test_answers_each_of_equal_questions(self, engine: Engine) -> None:
        value = hashes(1)[0]
        engine.add([(1, value)])

        assert engine.match([value, value], 0) == [Found(0, 1, 0), Found(1, 1, 0)]

    def test_of_nothing_or_in_nothing_is_nothing(self, engine: Engine) -> None:
        assert engine.match(hashes(2), 256) == []
        engine.add(enumerate(hashes(2)))
        assert engine.match([], 256) == []

    def test_of_the_widest_threshold_is_everything(self, engine: Engine) -> None:
        engine.add(enumerate(hashes(300)))

        assert len(engine.match(hashes(1, seed=2), 256)) == 300


class TestChanges:
    def test_a_withdrawn_row_is_not_found(self, engine: Engine) -> None:
        first, second = hashes(2)
        engine.add([(1, first), (2, second)])

        engine.withdraw([1])

        assert engine.match([first, second], THRESHOLD) == [Found(1, 2, 0)]

    def test_a_withdrawn_blank_is_not_found(self, engine: Engine) -> None:
        engine.add([(1, bytes(32)), (2, hashes(1)[0])])
        engine.withdraw([1, 2])

        assert engine.match([bytes(32)], THRESHOLD) == []

    def test_a_row_comes_back(self, engine: Engine) -> None:
        value = hashes(1)[0]
        for _ in range(3):
            engine.add([(1, value)])
            engine.withdraw([1])
        engine.add([(1, value)])

        assert engine.match([value], 0) == [Found(0, 1, 0)]

    def test_a_row_said_twice_is_one_row(self, engine: Engine) -> None:
        value = hashes(1)[0]
        engine.add([(1, value), (1, value)])
        engine.add([(1, value)])

        assert engine.match([value], 0) == [Found(0, 1, 0)]
        assert len(engine) == 1

    def test_a_changed_row_is_found_by_its_new_hash_alone(self, engine: Engine) -> None:
        old, new = hashes(2)
        engine.add([(1, old), (2, old)])

        engine.add([(1, new)])

        assert engine.match([old, new], 0) == [Found(0, 2, 0), Found(1, 1, 0)]

    def test_withdrawing_the_unknown_changes_nothing(self, engine: Engine) -> None:
        engine.add([(1, hashes(1)[0])])
        before = engine.checksum

        engine.withdraw([2, 3])
        engine.withdraw([])

        assert (len(engine), engine.checksum) == (1, before)

    def test_many_rows_go_and_the_rest_stay(self, engine: Engine) -> None:
        values = hashes(6_000)
        engine.add(enumerate(values))

        engine.withdraw(range(5_500))

        assert len(engine) == 500
        assert engine.match([values[0]], THRESHOLD) == []
        assert engine.match([values[5_999]], 0) == [Found(0, 5_999, 0)]


class TestChecksum:
    def test_is_the_sum_over_the_rows(self, engine: Engine) -> None:
        rows = list(enumerate(hashes(50), start=-3))
        engine.add(rows)
        engine.withdraw([rows.pop()[0]])

        expected = sum(row_checksum(*row, KEY) for row in rows) % 2**64
        assert engine.checksum == expected

    def test_does_not_depend_on_the_order(self, engine: Engine) -> None:
        rows = list(enumerate(hashes(50)))
        other = NumpyEngine(KEY)
        engine.add(rows)
        other.add(reversed(rows))

        assert engine.checksum == other.checksum


class TestBadInput:
    @pytest.mark.parametrize("value", [b"", bytes(31), bytes(33)])
    @pytest.mark.parametrize("make", [NumpyEngine, LayeredEngine])
    def test_a_hash_of_another_length_is_refused(
        self, make: type[NumpyEngine | LayeredEngine], value: bytes
    ) -> None:
        engine = make()

        with pytest.raises(ValueError, match="32 bytes"):
            engine.add([(1, bytes(32)), (2, value)])
        with pytest.raises(ValueError, match="32 bytes"):
            engine.match([value], THRESHOLD)
        assert len(engine) == 0

    @pytest.mark.parametrize("threshold", [-1, 257])
    def test_a_threshold_that_is_no_distance_is_refused(self, threshold: int) -> None:
        with pytest.raises(ValueError, match="threshold"):
            NumpyEngine().match([bytes(32)], threshold)

    @pytest.mark.parametrize("key", [b"", bytes(15), bytes(32)])
    def test_a_key_of_another_length_is_refused(self, key: bytes) -> None:
        with pytest.raises(ValueError, match="16 bytes"):
            NumpyEngine(key)


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Threads change places a thousand times more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("restless_threads")
class TestThreads:
    def test_lose_no_match_to_each_other(self) -> None:
        """With scratch shared between threads, one query in thirteen did."""
        values = hashes(60_000)
        engine = NumpyEngine()
        engine.add(enumerate(values))

        assert lost_by_threads(engine, values) == 0

    def test_lose_no_match_in_layers(self, tmp_path: Path) -> None:
        values = hashes(60_000)
        engine = Mixed(tmp_path / "rows")
        engine.add(enumerate(values))

        assert lost_by_threads(engine, values) == 0

    @pytest.mark.parametrize("kind", ["numpy", "layered"])
    def test_find_what_stays_while_others_come_change_and_go(
        self, kind: str, tmp_path: Path
    ) -> None:
        values = hashes(40_000)
        engine: Engine = NumpyEngine(KEY)
        engine.add(enumerate(values[:2_000]))
        if kind == "layered":
            write_snapshot(tmp_path / "rows", *engine.export(), number=1, key=KEY)
            engine = LayeredEngine(Snapshot.open(tmp_path / "rows", KEY), KEY)
        done = threading.Event()

        def churn() -> None:
            for start in range(2_000, 40_000, 500):
                engine.add(enumerate(values[start : start + 500], start))
                near = [at_distance(values[1_007], start // 500 % 20)]
                engine.add(enumerate(near, 1_007))
                engine.withdraw([*range(start, start + 450), start // 40])
            done.set()

        def lost() -> int:
            misses = 0
            while not done.is_set():
                found = engine.match([values[7], values[1_007], bytes(32)], THRESHOLD)
                misses += {match[:2] for match in found} != {(0, 7), (1, 1_007)}
            return misses

        with ThreadPoolExecutor(3) as pool:
            readers = [pool.submit(lost) for _ in range(2)]
            pool.submit(churn).result()
            assert [reader.result() for reader in readers] == [0, 0]


def lost_by_threads(engine: Engine, values: list[bytes]) -> int:
    def lost(number: int) -> int:
        mine = range(number, 1_200, 8)
        return sum(
            engine.match([values[id]], THRESHOLD) != [Found(0, id, 0)] for id in mine
        )

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(lost, range(8)))


# Few ids and few hashes near each other, so that rows meet.
IDS = st.integers(0, 12)
NEAR_HASHES = st.integers(0, 2**40 - 1).map(lambda bits: bits.to_bytes(32))


class AnyHistory(RuleBasedStateMachine):
    """A plain engine and a layered one, whose base is replaced now and then, both against the truth."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.truth = NaiveEngine(KEY)
        self.plain = NumpyEngine(KEY)
        self.layered = LayeredEngine(None, KEY)

    def teardown(self) -> None:
        self.folder.cleanup()

    @property
    def engines(self) -> list[Engine]:
        return [self.truth, self.plain, self.layered]

    @rule(rows=st.lists(st.tuples(IDS, NEAR_HASHES), max_size=6))
    def add(self, rows: list[tuple[int, bytes]]) -> None:
        for engine in self.engines:
            engine.add(rows)

    @rule(ids=st.lists(IDS, max_size=4))
    def withdraw(self, ids: list[int]) -> None:
        for engine in self.engines:
            engine.withdraw(ids)

    @rule()
    def rebase(self) -> None:
        self.layered = rebased(self.layered, Path(self.folder.name) / "rows")

    @rule(questions=st.lists(NEAR_HASHES, max_size=3), threshold=st.integers(0, 40))
    def match(self, questions: list[bytes], threshold: int) -> None:
        expected = self.truth.match(questions, threshold)
        assert self.plain.match(questions, threshold) == expected
        assert self.layered.match(questions, threshold) == expected

    @invariant()
    def agrees_on_its_contents(self) -> None:
        counts = {len(engine) for engine in self.engines}
        assert counts == {len(self.truth)}
        assert {engine.checksum for engine in self.engines} == {self.truth.checksum}


AnyHistory.TestCase.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None
)
TestAnyHistory = AnyHistory.TestCase


@pytest.mark.parametrize("bits", [64, 256])
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_rows_any_question_any_threshold(bits: int, data: st.DataObject) -> None:
    hash = st.binary(min_size=bits // 8, max_size=bits // 8)
    any_id = st.integers(-(2**63), 2**63 - 1)
    rows = data.draw(st.dictionaries(any_id, hash))
    question, threshold = data.draw(hash), data.draw(st.integers(0, bits))
    engine, truth = NumpyEngine(KEY, bits), NaiveEngine(KEY)
    for each in (engine, truth):
        each.add(rows.items())

    assert engine.match([question], threshold) == truth.match([question], threshold)
    assert engine.checksum == truth.checksum
