"""Large banks in a file that the processes of a host share: never behind, never trusted when damaged, never old."""

import os
import stat

import pytest

from moderation import services
from moderation.models import BankCounter
from moderation.pipeline import snapshots
from moderation.pipeline.index import BankIndex
from tests.factories import NOW
from tests.moderation.test_banking import HASH, bank, near

pytestmark = pytest.mark.django_db
SOURCE = "a" * 32


@pytest.fixture(autouse=True)
def directory(settings, tmp_path, monkeypatch):
    """Four rows are a large bank here."""
    settings.BANK_SNAPSHOT_DIR = tmp_path / "bank"
    monkeypatch.setattr(snapshots, "MIN_ROWS", 4)
    # What a thread does beside the work, each test does itself.
    monkeypatch.setattr(BankIndex, "_look_at_snapshots", lambda index: None)
    return settings.BANK_SNAPSHOT_DIR


@pytest.fixture
def banked():
    """Ten hashes, each four bits from the next."""
    return [bank(near(HASH, 4 * number)) for number in range(10)]


def found(index: BankIndex, value: bytes = HASH) -> set[int]:
    return {one.id for one in index.match([value], 31)}


class TestTheSnapshot:
    def test_is_written_by_the_first_and_used_by_the_next(self, banked, directory):
        first, second = BankIndex(), BankIndex()

        near_ones = {row.number for row in banked[:8]}
        assert found(first) == near_ones
        written = (directory / "pdq.rows").stat()
        assert found(second) == near_ones

        assert (directory / "pdq.rows").stat().st_ino == written.st_ino
        for index in (first, second):
            assert index._copy.engines["pdq"].delta_size == 0

    def test_is_for_this_user_alone(self, banked, directory):
        found(BankIndex())

        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert stat.S_IMODE((directory / "pdq.rows").stat().st_mode) == 0o600

    def test_is_never_behind_what_was_committed(self, banked):
        index = BankIndex()
        found(index)

        new = bank(near(HASH, 2), SOURCE)
        assert new.number in found(index)
        services.withdraw_source(source_refs=[SOURCE], actor="person", now=NOW)

        assert new.number not in found(index)

    def test_withdraws_what_lies_in_the_file(self, banked):
        index = BankIndex()
        found(index)

        services.withdraw_source(
            source_refs=[banked[0].source_ref], actor="person", now=NOW
        )

        assert found(index) == {row.number for row in banked[1:8]}
        assert index._copy.engines["pdq"].withdrawn_count == 1

    def test_does_not_keep_what_was_withdrawn(self, banked, directory, monkeypatch):
        index = BankIndex()
        found(index)
        assert HASH[::-1] in (directory / "pdq.rows").read_bytes()
        services.withdraw_source(
            source_refs=[banked[0].source_ref], actor="person", now=NOW
        )
        found(index)

        index.renew()
        assert HASH[::-1] in (directory / "pdq.rows").read_bytes()  # not yet an hour
        monkeypatch.setattr(snapshots, "_OLD_SECONDS", -1.0)
        index.renew()

        assert HASH[::-1] not in (directory / "pdq.rows").read_bytes()
        assert found(index) == {row.number for row in banked[1:8]}

    @pytest.mark.parametrize("place", [0, 140, -1])
    def test_is_written_anew_when_it_is_damaged(self, banked, directory, place):
        found(BankIndex())
        path = directory / "pdq.rows"
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)

        assert found(BankIndex()) == {row.number for row in banked[:8]}
        assert path.read_bytes() != bytes(data)

    def test_of_another_database_is_not_used(self, banked, directory):
        found(BankIndex())
        services.withdraw_source(
            source_refs=[row.source_ref for row in banked], actor="person", now=NOW
        )
        BankCounter.objects.update(number=3)
        other = [bank(near(HASH, 3 * number)) for number in range(6)]

        assert found(BankIndex()) == {row.number for row in other}

    def test_is_taken_over_from_another_process(self, banked, directory):
        slow, quick = BankIndex(), BankIndex()
        found(slow)
        for numbers in ((100, 101, 102), (103, 104)):
            for number in numbers:
                bank(near(HASH, number))
            found(slow)
            found(quick)
        assert slow._copy.engines["pdq"].delta_size == 5
        quick.renew()

        slow.renew()

        assert slow._copy.engines["pdq"].delta_size == 0
        assert len(found(slow, near(HASH, 118))) == 5

    def test_is_written_by_one_at_a_time(self, banked):
        with (
            snapshots.writing(wait=True) as first,
            snapshots.writing(wait=False) as second,
        ):
            assert (first, second) == (True, False)

    def test_leaves_the_answer_right_where_it_cannot_be_written(
        self, banked, directory
    ):
        directory.mkdir(mode=0o755)
        os.chmod(directory, 0o755)  # noqa: PTH101, S103 (what an operator may do by mistake)

        assert found(BankIndex()) == {row.number for row in banked[:8]}
        assert not (directory / "pdq.rows").exists()


class TestTheLongWay:
    def test_goes_by_the_snapshot_when_much_has_changed(self, banked, directory):
        index = BankIndex()
        found(index)
        before = (directory / "pdq.rows").stat().st_ino
        more = [bank(near(HASH, number)) for number in range(100, 120)]

        assert found(index, near(HASH, 140)) == {row.number for row in more[9:]}

        assert (directory / "pdq.rows").stat().st_ino != before
        assert index._copy.engines["pdq"].delta_size == 0


class TestTheThreadBesideTheWork:
    def test_writes_what_is_due_and_closes_its_connection(self, banked, monkeypatch):
        index = BankIndex()
        found(index)
        began = []
        monkeypatch.undo()
        monkeypatch.setattr(snapshots, "MIN_ROWS", 4)
        monkeypatch.setattr(
            "threading.Thread.start", lambda thread: began.append(thread)
        )
        index._look_at_snapshots()
        assert not began
        for number in range(100, 105):
            bank(near(HASH, number))
            index._looks_at = 0.0
            found(index)

        assert len(began) == 1
        assert index._renewing
