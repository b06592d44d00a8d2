"""Long lists come into a bank: whole, once, matched at once, and in everybody's turn."""

import secrets
import threading
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from django.db import close_old_connections, connection

from moderation import services
from moderation.hashing import plausible
from moderation.models import (
    AuditEntry,
    BankCounter,
    BankedHash,
    HashBank,
    token,
)
from moderation.pipeline import Query, find
from moderation.pipeline.hash_files import ReadHash, write_hashes
from moderation.pipeline.index import BankIndex
from moderation.pipeline.taking_in import (
    GAP_SECONDS,
    HOLD_SECONDS,
    LEAST_AT_ONCE,
    MOST_AT_ONCE,
    Turns,
)
from moderation.services.importing import BankUnsuitable, Imported, import_hashes
from tests.factories import NOW, HashBankFactory

SOURCE = "a" * 32


def hashes(count: int, signal_type: str = "pdq", size: int = 32) -> list[ReadHash]:
    found: list[ReadHash] = []
    while len(found) < count:
        value = secrets.token_bytes(size)
        if signal_type != "pdq" or plausible(value):
            found.append(ReadHash(signal_type, value, None, len(found) + 1))
    return found


def partner(slug: str = "list") -> HashBank:
    return HashBankFactory(slug=slug, kind=HashBank.Kind.PARTNER)


def imported(rows: list[ReadHash], bank: HashBank | None = None, **more) -> Imported:
    return import_hashes(
        bank=bank or partner(),
        hashes=rows,
        source_ref=more.pop("source_ref", SOURCE),
        actor="operator",
        now=NOW,
        **more,
    )


@pytest.mark.django_db
class TestImportHashes:
    def test_is_matched_by_the_very_next_look(self):
        rows = hashes(30)

        imported(rows, batch=7)

        found = [find(Query(pdq=[row.value])) for row in rows]
        assert [[finding.distance for finding in each] for each in found] == [[0]] * 30

    def test_makes_the_rows_that_one_by_one_would_make(self):
        (row,) = hashes(1)
        bank = partner()
        services.bank_hash(
            bank=bank.slug,
            signal_type="pdq",
            value=row.value,
            quality=None,
            source_ref="b" * 32,
            actor="public",
            now=NOW,
        )

        imported([row], bank)

        one, many = BankedHash.objects.order_by("pk")
        own = {"id", "public_id", "source_ref", "value_sealed", "number", "mark"}
        for field in BankedHash._meta.concrete_fields:
            if field.attname not in own:
                name = field.attname
                assert getattr(one, name) == getattr(many, name), name
        assert len(many.public_id) == 32

    def test_keeps_the_number_count_and_checksum_of_a_whole_bank(self):
        imported(hashes(9), batch=4)
        imported(hashes(2, "phash", 8), partner("others"))
        imported(hashes(3, "sha256"), partner("digests"))
        imported([ReadHash("vpdq", hashes(1)[0].value * 3, None, 1)], partner("films"))

        counter = BankCounter.objects.get()
        assert (counter.number, counter.live_count) == (12, 14)
        assert BankedHash.objects.filter(number=None).count() == 3
        assert BankIndex().match([hashes(1)[0].value], 0) == []  # or it would not trust

    def test_adds_nothing_twice(self):
        rows = hashes(10)
        bank = partner()

        first = imported([*rows, rows[0]], bank)
        again = imported([*hashes(2), *rows], bank, batch=3)

        assert (first.added_count, first.known_count) == (10, 1)
        assert (again.added_count, again.known_count) == (2, 10)
        assert BankedHash.objects.count() == 12

    def test_keeps_a_row_for_each_source_of_an_equal_hash(self):
        rows = hashes(4)
        bank = partner()
        imported(rows, bank)

        assert imported(rows, bank, source_ref="b" * 32).added_count == 4

    def test_goes_on_where_it_was_killed(self):
        rows = hashes(20)
        bank = partner()

        def killed(done: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            imported(rows, bank, batch=5, progress=killed)
        assert BankedHash.objects.count() == 5

        rest = imported(rows, bank)

        assert (rest.added_count, rest.known_count) == (15, 5)
        assert BankedHash.objects.count() == 20

    def test_writes_one_audit_entry_for_each_batch_and_no_value(self):
        rows = hashes(12)

        imported(rows, batch=12)

        entry = AuditEntry.objects.get()
        assert entry.facts["verb"] == "bank.batch_added"
        assert entry.facts["details"] == {"count": 12, "source": SOURCE}
        assert not any(row.value.hex() in entry.text for row in rows)

    def test_is_withdrawn_as_one_source(self):
        bank = partner()
        imported(hashes(5), bank)
        imported(hashes(2), bank, source_ref="b" * 32)

        services.withdraw_source(source_refs=[SOURCE], actor="operator", now=NOW)

        assert BankedHash.objects.count() == 2

    def test_never_stores_the_value_in_the_clear(self):
        (row,) = hashes(1)
        imported([row])

        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM moderation_bankedhash")
            (stored,) = cursor.fetchall()
        assert not any(
            row.value in bytes(cell)
            for cell in stored
            if isinstance(cell, bytes | memoryview)
        )
        assert not any(row.value.hex() in str(cell) for cell in stored)

    def test_tells_how_far_it_is(self):
        said: list[int] = []

        imported(hashes(10), batch=4, progress=said.append)

        assert said[-1] == 10
        assert said == sorted(said)

    def test_leaves_what_people_made_to_people(self):
        with pytest.raises(BankUnsuitable, match="own devices"):
            imported(hashes(1), HashBankFactory())


class Clock:
    """A time that only passes when it is told to."""

    def __init__(self) -> None:
        self.at = 50.0
        self.paused: list[float] = []

    def seconds(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.at += seconds


class TestTurns:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def turns(self, clock: Clock) -> Turns:
        return Turns(1000, clock.seconds, clock.pause)

    def test_leaves_others_time_to_take_the_lock(self, clock, turns):
        gap = GAP_SECONDS[connection.vendor]
        with turns.turn(1000):
            clock.at += 0.2
        clock.at += gap / 4  # what the next batch needs to be sealed
        with turns.turn(1000):
            clock.at += 0.2
        clock.at += gap * 2
        with turns.turn(1000):
            pass

        assert clock.paused == [pytest.approx(gap * 3 / 4)]

    def test_grows_while_batches_are_short_and_shrinks_when_one_was_long(
        self, clock, turns
    ):
        sizes = [turns.size]
        for held in (0.01, 0.01, 0.01, 0.01, 0.15, 2.0, 9.0):
            with turns.turn(turns.size):
                clock.at += held
            sizes.append(turns.size)

        most = MOST_AT_ONCE
        assert sizes == [1000, 2000, 4000, most, most, most, 500, LEAST_AT_ONCE]
        assert turns.longest == pytest.approx(9.0)
        assert HOLD_SECONDS < 1

    def test_takes_batches_of_the_size_of_the_moment(self, turns):
        batches = turns.batches(range(3500))

        sizes = [len(next(batches))]
        turns.size = 2000
        sizes += [len(batch) for batch in batches]

        assert sizes == [1000, 2000, 500]


class Person(threading.Thread):
    """Submits a fingerprint on a connection of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.row: BankedHash | None = None
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self.row = services.bank_hash(
                bank="cases",
                signal_type="pdq",
                value=hashes(1)[0].value,
                quality=90,
                source_ref=token(),
                actor="public",
                now=NOW,
            )
        except Exception as failure:
            self.failure = failure
        finally:
            connection.close()
            close_old_connections()


@pytest.mark.django_db(transaction=True)
class TestFairness:
    def test_lets_a_person_in_between_two_batches(self):
        """The person asks while a batch has the lock, and gets it before the import has done five more."""
        HashBankFactory()
        person = Person()
        turns = Turns(LEAST_AT_ONCE)
        begun = LEAST_AT_ONCE * 3

        def progress(done: int) -> None:
            turns.size = LEAST_AT_ONCE
            if done == begun:
                person.start()

        imported(hashes(LEAST_AT_ONCE * 12), turns=turns, progress=progress)

        person.join(timeout=60)
        assert person.failure is None
        assert person.row is not None
        assert person.row.number is not None
        assert begun < person.row.number <= begun + 5 * LEAST_AT_ONCE + 1
        numbers = BankedHash.objects.order_by("number").values_list("number", flat=True)
        assert all(after == before + 1 for before, after in pairwise(numbers))


@pytest.mark.django_db
class TestCommand:
    @pytest.fixture
    def file(self, tmp_path):
        def written(rows, *more: str, name: str = "list.csv"):
            path = tmp_path / name
            path.write_text("".join(write_hashes(rows, "csv")) + "\n".join(more))
            return path

        return written

    def run(self, path, *more: str) -> None:
        call_command(
            "import_hashes", str(path), "--bank", "list", "--format", "csv", *more
        )

    def test_says_what_it_did_and_the_same_again_does_nothing(self, file, capsys):
        partner()
        path = file(hashes(5))

        self.run(path)
        self.run(path)

        said = capsys.readouterr().out.splitlines()
        assert said[:3] == ["added: 5", "already there: 0", "refused: 0"]
        assert said[5:8] == ["added: 0", "already there: 5", "refused: 0"]
        source = said[3].removeprefix("source: ")
        assert BankedHash.objects.filter(source_ref=source).count() == 5

    def test_writes_nothing_if_any_line_is_wrong(self, file):
        partner()
        path = file(hashes(5), "pdq,abc,90")

        with pytest.raises(CommandError, match="Line 7"):
            self.run(path)

        assert not BankedHash.objects.exists()

    def test_leaves_out_wrong_lines_if_asked_to(self, file, capsys):
        partner()
        path = file(hashes(5), "pdq,abc,90", "nonsense")

        self.run(path, "--skip-refused")

        said = capsys.readouterr()
        assert "added: 5" in said.out
        assert "refused: 2" in said.out
        assert "Line 7" in said.err

    def test_shows_its_progress_on_stderr(self, file, capsys):
        partner()

        self.run(file(hashes(5)))

        assert "100%  5 of 5" in capsys.readouterr().err

    def test_tells_sources_apart_by_name(self, file):
        partner()
        path = file(hashes(2))

        self.run(path)
        self.run(path, "--source", "the other one")

        assert BankedHash.objects.count() == 4

    @pytest.mark.parametrize("missing", ["bank", "file"])
    def test_refuses_what_is_not_there(self, file, missing):
        path = file(hashes(1))
        if missing == "file":
            partner()
            path = path.with_name("gone.csv")

        with pytest.raises(CommandError):
            self.run(path)
