"""What Milvus does beyond the contract that all engines keep."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from moderation.matching import (
    EngineUnavailable,
    Found,
    LayeredEngine,
    Rows,
    bytes_of,
    row_checksum,
    words_of,
)
from moderation.matching.milvus import MilvusEngine
from tests.moderation.matching.planting import KEY, at_distance, hashes
from tests.services.servers import free_port

pytestmark = pytest.mark.milvus

ROOT = Path(__file__).resolve().parents[3]
# In a process of its own, because changes made in this one are known to all clients in it.
READER = """
import sys
from moderation.matching.milvus import MilvusEngine
engine = MilvusEngine.connect(sys.argv[1], "contract", bytes(range(16)))
for line in sys.stdin:
    engine.refresh()
    hashes = [bytes.fromhex(word) for word in line.split()]
    print(len(engine), engine.number, [found.id for found in engine.match(hashes, 31)], flush=True)
"""


def reopened(engine: MilvusEngine) -> MilvusEngine:
    return MilvusEngine(engine._client, engine._name, KEY)


def test_gives_more_matches_than_the_server_can_at_once(
    milvus_engine: MilvusEngine,
) -> None:
    value, other = hashes(2)
    count = 20_000
    words = np.repeat(words_of([value]), count, axis=0)
    milvus_engine.add_rows(Rows(np.arange(count), words))
    milvus_engine.add([(count, other), (-1, at_distance(value, 31))])

    found = milvus_engine.match([other, value], 31)

    near = [Found(1, id, 0) for id in range(count)]
    assert found == [Found(0, count, 0), *near, Found(1, -1, 31)]


class TestState:
    def test_is_kept_with_the_rows(self, milvus_engine: MilvusEngine) -> None:
        rows = list(enumerate(hashes(30)))
        milvus_engine.add(rows)
        milvus_engine.withdraw([3])
        milvus_engine.advance(2**60 + 1)

        engine = reopened(milvus_engine)

        assert (len(engine), engine.number) == (29, 2**60 + 1)
        kept = (row_checksum(*row, KEY) for row in rows if row[0] != 3)
        assert engine.checksum == sum(kept) % 2**64

    def test_is_never_an_answer(self, milvus_engine: MilvusEngine) -> None:
        """Its row has a vector of zeros."""
        milvus_engine.advance(4)

        assert milvus_engine.match([bytes(32)], 256) == []
        assert list(milvus_engine.rows()) == []

    def test_is_mended_after_a_writer_was_killed(
        self, milvus_engine: MilvusEngine
    ) -> None:
        rows = list(enumerate(hashes(5)))
        milvus_engine.add(rows)
        milvus_engine._client.delete(milvus_engine._name, ids=[2])
        with pytest.raises(EngineUnavailable, match="changed"):
            list(milvus_engine.rows())

        milvus_engine.recount()

        del rows[2]
        assert len(reopened(milvus_engine)) == 4
        assert milvus_engine.checksum == (
            sum(row_checksum(*row, KEY) for row in rows) % 2**64
        )


class TestBase:
    def test_carries_a_delta_and_withdrawn_ids(
        self, milvus_engine: MilvusEngine
    ) -> None:
        values = hashes(40)
        milvus_engine.add(enumerate(values))
        layered = LayeredEngine(milvus_engine, KEY)

        layered.withdraw([1])
        layered.add([(2, at_distance(values[2], 7)), (40, values[3])])

        assert layered.match(values[:4], 31) == [
            Found(0, 0, 0),
            Found(2, 2, 7),
            Found(3, 3, 0),
            Found(3, 40, 0),
        ]
        rows = layered.export()
        assert len(rows.ids) == len(layered) == 40
        pairs = zip(rows.ids.tolist(), bytes_of(rows.words), strict=True)
        assert layered.checksum == sum(row_checksum(*row, KEY) for row in pairs) % 2**64

    def test_may_move_on_below_the_layers(self, milvus_engine: MilvusEngine) -> None:
        """The writer brings into the base what each reader has had in its delta for a while."""
        values = hashes(10)
        milvus_engine.add(enumerate(values))
        layered = LayeredEngine(milvus_engine, KEY)
        layered.add([(10, values[5])])
        layered.withdraw([0])

        milvus_engine.add([(10, values[5])])
        milvus_engine.withdraw([0])

        assert layered.match([values[0], values[5]], 31) == [
            Found(1, 5, 0),
            Found(1, 10, 0),
        ]

    def test_refuses_the_id_that_is_its_own(self, milvus_engine: MilvusEngine) -> None:
        with pytest.raises(ValueError, match="ids of rows"):
            milvus_engine.add([(-(2**63) + 1, bytes(32))])


def test_another_process_sees_each_change_once_it_looks(
    milvus_engine: MilvusEngine, milvus_address: str
) -> None:
    values = hashes(20)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, milvus_address],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def seen() -> str:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write(" ".join(value.hex() for value in values) + "\n")
        reader.stdin.flush()
        return reader.stdout.readline().strip()

    with reader:
        for number in range(1, 11):
            milvus_engine.add([(number, values[number])])
            milvus_engine.withdraw([number - 1])
            milvus_engine.advance(number)
            assert seen() == f"1 {number} [{number}]"


def test_a_server_that_is_not_there_is_no_silence() -> None:
    with pytest.raises(EngineUnavailable):
        MilvusEngine.connect(f"http://127.0.0.1:{free_port()}", "x", timeout=0.5)


def test_a_refusal_of_the_server_is_no_silence(milvus_engine: MilvusEngine) -> None:
    engine = reopened(milvus_engine)
    engine._name = "dropped"

    with pytest.raises(EngineUnavailable):
        engine.match(hashes(1), 31)
    with pytest.raises(EngineUnavailable):
        engine.fetch(np.array([1]))
