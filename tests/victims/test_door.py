"""Who may try, how often, and that nobody learns whether a case exists (T-04, T-05, T-06)."""

import threading
from datetime import timedelta

import argon2
import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW
from tests.victims.factories import PIN, open_case
from victims import credentials, services
from victims.models import Attempt, Case, DailySalt, Limit
from victims.services import DoesNotFit, TryLater

UNKNOWN = "00000000000000000"
WRONG = "not the right one"


def attempt(number, pin=WRONG, *, now=NOW, network=None):
    try:
        services.enter(number=number, pin=pin, network=network, now=now)
    except services.AtTheDoor as refusal:
        return type(refusal)
    return None


@pytest.fixture
def case_number(db):
    open_case()
    return open_case(2)[1]


class TestEnter:
    def test_opens_with_number_and_pin_as_people_type_them(self, db):
        case, number = open_case()
        typed = "-".join(credentials.grouped(number)).lower()

        entered = services.enter(
            number=typed, pin="  A  Lantern 77 RIVER", network=None, now=NOW
        )

        assert entered.case == case
        case.refresh_from_db()
        assert case.last_opened_at == NOW

    def test_tells_how_often_somebody_else_tried(self, case_number):
        for _ in range(3):
            assert attempt(case_number) is DoesNotFit

        first = services.enter(number=case_number, pin=PIN, network=None, now=NOW)
        second = services.enter(number=case_number, pin=PIN, network=None, now=NOW)

        assert (first.failed_tries, second.failed_tries) == (3, 0)

    @pytest.mark.parametrize("number", ["", "7", "x" * 5000, UNKNOWN, "\0"])
    def test_gives_one_answer_to_whatever_does_not_fit(self, db, number):
        open_case()

        assert attempt(number) is DoesNotFit
        assert attempt(number, pin="") is DoesNotFit

    def test_does_the_same_work_for_no_such_case_and_for_another_pin(
        self, case_number, monkeypatch
    ):
        compared = []
        real = argon2.PasswordHasher.verify
        monkeypatch.setattr(
            argon2.PasswordHasher,
            "verify",
            lambda self, kept, given: (
                compared.append(kept[:31]) or real(self, kept, given)
            ),
        )
        work = {}
        for number in (UNKNOWN, case_number):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert attempt(number) is DoesNotFit
            work[number] = [q["sql"].split("'")[0] for q in queries.captured_queries]

        assert work[UNKNOWN] == work[case_number]
        assert len(compared) == 2
        assert len(set(compared)) == 1


class TestTriesOfANumber:
    @pytest.mark.parametrize("exists", [True, False])
    def test_five_pass_then_pauses_double_up_to_15_minutes(self, case_number, exists):
        number = case_number if exists else UNKNOWN
        now = NOW
        for _ in range(5):
            assert attempt(number, now=now) is DoesNotFit

        for pause in (30, 60, 120, 240, 480, 900, 900, 900):
            assert attempt(number, now=now) is TryLater
            assert attempt(number, now=now + timedelta(seconds=pause - 1)) is TryLater
            now += timedelta(seconds=pause)
            assert attempt(number, now=now) is DoesNotFit

    def test_never_keep_the_person_out_for_longer_than_15_minutes(self, case_number):
        for minute in range(120):
            attempt(case_number, now=NOW + timedelta(minutes=minute))
        now = NOW + timedelta(minutes=120)

        waits = [now + timedelta(seconds=s) for s in range(0, 901, 30)]

        assert any(attempt(case_number, PIN, now=at) is None for at in waits)

    def test_refused_tries_do_not_make_the_pause_longer(self, case_number):
        for _ in range(5):
            attempt(case_number)
        for second in range(29):
            assert attempt(case_number, now=NOW + timedelta(seconds=second)) is TryLater

        assert attempt(case_number, PIN, now=NOW + timedelta(seconds=30)) is None

    def test_are_forgotten_once_the_case_was_opened(self, case_number):
        for _ in range(4):
            attempt(case_number)
        assert attempt(case_number, PIN) is None

        assert [attempt(case_number) for _ in range(5)] == [DoesNotFit] * 5

    def test_are_forgotten_after_a_day_without_any(self, case_number):
        for _ in range(5):
            attempt(case_number)

        later = NOW + timedelta(days=1, seconds=1)

        assert [attempt(case_number, now=later) for _ in range(5)] == [DoesNotFit] * 5

    def test_of_one_number_do_not_count_for_another(self, case_number):
        for _ in range(6):
            attempt(UNKNOWN)

        assert attempt(case_number, PIN) is None

    def test_say_in_whole_minutes_how_long_to_wait(self, case_number):
        for _ in range(5):
            attempt(case_number)

        with pytest.raises(TryLater) as refusal:
            services.enter(number=case_number, pin=PIN, network=None, now=NOW)

        assert refusal.value.minutes == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("exists", [True, False])
def test_of_200_tries_at_once_exactly_five_pass(exists):
    number = open_case()[1] if exists else UNKNOWN
    answers = []
    start = threading.Barrier(4)

    def work():
        start.wait()
        answers.extend(attempt(number) for _ in range(50))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 200
    assert answers.count(DoesNotFit) == 5
    assert answers.count(TryLater) == 195


class TestTriesOfANetwork:
    def test_thirty_an_hour_pass(self, db):
        network = services.network_key("8.8.8.8", NOW)
        tries = [
            attempt(f"{n}", network=network, now=NOW + timedelta(minutes=n))
            for n in range(35)
        ]

        assert tries[:30] == [DoesNotFit] * 30
        assert tries[30:] == [services.TooManyFromNetwork] * 5
        after = NOW + timedelta(hours=1)
        assert attempt("after", network=network, now=after) is DoesNotFit

    def test_of_one_network_do_not_count_for_another(self, db):
        one, other = (services.network_key(a, NOW) for a in ("8.8.8.8", "9.9.9.9"))
        for n in range(31):
            attempt(f"{n}", network=one, now=NOW + timedelta(seconds=n))

        assert attempt("x", network=other) is DoesNotFit


class TestNetworkKey:
    def test_is_one_for_a_whole_network_and_one_day(self, db):
        key = services.network_key

        assert (
            key("8.8.8.8", NOW) == key("8.8.8.200", NOW) == key("::ffff:8.8.8.9", NOW)
        )
        assert key("8.8.8.8", NOW) != key("8.8.9.8", NOW)
        assert key("2600:1f18:1::1", NOW) == key("2600:1f18:1:ff::9", NOW)
        assert key("2600:1f18:1::1", NOW) != key("2600:1f18:2::1", NOW)
        assert key("8.8.8.8", NOW) != key("8.8.8.8", NOW + timedelta(days=1))

    def test_keeps_no_address(self, db):
        services.network_key("8.8.8.8", NOW)

        assert DailySalt.objects.count() == 1
        assert "8.8.8" not in services.network_key("8.8.8.8", NOW)

    @pytest.mark.parametrize(
        "address", ["", "unix:", "127.0.0.1", "10.1.2.3", "::1", "fe80::1"]
    )
    def test_is_none_where_all_visitors_would_share_one(self, db, address):
        assert services.network_key(address, NOW) is None


class TestTriesOfTheSite:
    def test_forty_a_second_pass(self, db):
        tries = [attempt(f"{n}") for n in range(42)]

        assert tries == [DoesNotFit] * 40 + [services.Busy] * 2
        assert attempt("x", now=NOW + timedelta(seconds=1)) is DoesNotFit


class TestAdmit:
    def test_keeps_nothing_of_what_was_tried(self, case_number):
        attempt(case_number, network=services.network_key("8.8.8.8", NOW))

        kept = str(list(Attempt.objects.values_list()))
        assert case_number not in kept
        assert WRONG not in kept
        assert str(Case.objects.last().number_index) not in kept

    def test_expired_counts_are_deleted(self, db):
        Attempt.objects.admit("k" * 64, Limit(2, timedelta(hours=1)), NOW)

        assert Attempt.objects.expired(NOW).count() == 0
        assert Attempt.objects.expired(NOW + timedelta(hours=1)).count() == 1
