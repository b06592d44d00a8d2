"""Banks in collections of a Milvus server: as zero-stale as in memory, shared by processes, mended, and fail-closed."""

import pytest

from moderation import services
from moderation.pipeline import BankUntrusted, collections, snapshots
from moderation.pipeline.index import BankIndex
from tests.factories import NOW
from tests.moderation.test_banking import HASH, bank, near

pytestmark = [pytest.mark.django_db, pytest.mark.milvus]


@pytest.fixture(autouse=True)
def server(settings, milvus_address, monkeypatch):
    """Four rows are a large bank here. What the test before has left there is of a database that is gone."""
    settings.MILVUS_URI = milvus_address
    for bases in (snapshots, collections):
        monkeypatch.setattr(bases, "MIN_ROWS", 4)
    monkeypatch.setattr(BankIndex, "_look_at_snapshots", lambda index: None)
    collections._collection.cache_clear()


@pytest.fixture
def banked():
    return [bank(near(HASH, 4 * number)) for number in range(10)]


def found(index: BankIndex, value: bytes = HASH) -> set[int]:
    return {one.id for one in index.match([value], 31)}


class TestTheCollection:
    def test_is_filled_by_the_first_and_used_by_the_next(self, banked):
        near_ones = {row.number for row in banked[:8]}

        first, second = BankIndex(), BankIndex()

        assert found(first) == found(second) == near_ones
        for index in (first, second):
            assert index._copy.engines["pdq"].delta_size == 0

    def test_is_never_behind_what_was_committed(self, banked):
        first, second = BankIndex(), BankIndex()
        found(first), found(second)
        new = bank(near(HASH, 2))
        gone = banked[0]
        services.withdraw_source(source_refs=[gone.source_ref], actor="person", now=NOW)

        for index in (first, second):
            assert new.number in found(index)
            assert gone.number not in found(index)
        first.renew()
        for index in (first, second, BankIndex()):
            assert new.number in found(index)
            assert gone.number not in found(index)
        assert first._copy.engines["pdq"].delta_size == 0
        assert first._copy.engines["pdq"].withdrawn_count == 0

    def test_is_counted_anew_after_a_writer_was_killed(self, banked):
        found(BankIndex())
        engine = collections._engine("pdq")
        state = engine._state
        new = [bank(near(HASH, 40 + number)) for number in range(3)]
        # The rows are there, and what they add up to was not noted.
        engine.add([(new[0].number, near(HASH, 40))])
        engine._put([], state)

        index = BankIndex()

        assert found(index, near(HASH, 50)) >= {row.number for row in new}

    def test_of_another_database_is_emptied_first(self, banked):
        engine = collections._engine("pdq")
        engine.add([(10**6, HASH), (banked[1].number, near(HASH, 200))])
        engine.advance(10**9)

        assert found(BankIndex()) == {row.number for row in banked[:8]}
        assert sum(part.ids.size for part in engine.rows()) == len(banked)

    def test_that_does_not_answer_holds_and_never_allows(self, settings, banked):
        settings.MILVUS_URI = "http://127.0.0.1:1"
        collections._collection.cache_clear()

        with pytest.raises(BankUntrusted):
            found(BankIndex())
