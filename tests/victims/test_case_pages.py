"""A case's own pages: shown once, opened with number and PIN, covered, quiet, stopped (T-04, T-05, T-07, T-13)."""

import re
from datetime import timedelta
from http import HTTPStatus

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from moderation.models import BankedHash
from tests.factories import NOW, HashBankFactory, MatchFactory
from tests.victims.factories import PIN, open_case, recorded
from tests.victims.visit import post, sending
from victims.models import Case
from victims.views.status import standing

MASKED = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')
TODAY = f"{NOW.day} {NOW:%B %Y}"
CASE_PAGES = ["number", "next", "ready", "now", "stop"]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def opened(db, client):
    """A visitor who opened a case a moment ago, and the case's number."""
    HashBankFactory()
    post(client, "make", sending(1, 2))
    return client, "".join(client.get(reverse("victims:number")).context["groups"])


def enter(client, number, pin=PIN, **more):
    return post(client, "open", {"number": number, "pin": pin}, **more)


def page(client, name):
    return client.get(reverse(f"victims:{name}"))


class TestNumber:
    def test_is_shown_until_it_is_kept_and_never_again(self, opened):
        client, number = opened
        assert number[:4] in page(client, "number").content.decode()

        response = post(client, "leave_number", {})

        assert response["Location"] == reverse("victims:next")
        assert number[:4] not in page(client, "next").content.decode()
        assert page(client, "number")["Location"] == reverse("victims:ready")

    def test_is_forgotten_when_another_page_of_the_case_is_opened(self, opened):
        client, _ = opened
        page(client, "ready")

        assert page(client, "number")["Location"] == reverse("victims:ready")

    def test_lies_sealed_in_the_session_and_nowhere_else(self, opened):
        client, number = opened

        kept = str(dict(client.session))
        assert number not in kept
        assert PIN not in kept
        assert number not in str(list(Case.objects.values_list()))

    def test_of_a_stranger_stays_unknown(self, opened):
        assert page(Client(), "number")["Location"] == reverse("victims:open")


class TestOpen:
    def test_opens_with_number_and_pin_behind_a_cover(self, db, client):
        _, number = open_case()

        response = enter(client, number)

        assert response["Location"] == reverse("victims:ready")
        text = page(client, "ready").content.decode()
        assert "Can anyone see your screen?" in text
        assert "ingerprint" not in text
        assert page(client, "now")["Location"] == reverse("victims:ready")
        assert post(client, "ready", {})["Location"] == reverse("victims:now")
        assert page(client, "now").status_code == HTTPStatus.OK

    def test_gives_the_same_page_for_no_such_case_and_another_pin(self, db, client):
        """T-05, with what was typed masked: it stands in its field again."""
        _, number = open_case()
        answers = {}
        for typed in ("00000000000000000", number):
            with CaptureQueriesContext(connection) as queries:
                response = enter(client, typed, "not the right one")
            body = MASKED.sub(b"", response.content.replace(typed.encode(), b""))
            answers[typed] = (
                response.status_code,
                body,
                dict(response.headers),
                len(queries),
            )

        assert len(set(map(str, answers.values()))) == 1

    @pytest.mark.parametrize("number", ["", "%00", "%F0%9F%92%A9", "x" * 9000, "%FF", "<b>"])  # fmt: skip
    def test_takes_anything_as_a_misfit(self, db, client, number):
        for pin in (number, "a"):
            response = enter(client, number, pin)

            assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
            assert b"do not fit together" in response.content

    def test_says_how_long_to_wait(self, db, client, clock):
        _, number = open_case()
        for _ in range(5):
            enter(client, number, "not the right one")

        response = enter(client, number)

        assert response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert (
            b"Wait 1 minute before the next try. Your case is safe." in response.content
        )
        assert 1 <= int(response["Retry-After"]) <= 31
        clock.shift(31)
        assert enter(client, number).status_code == HTTPStatus.FOUND

    def test_counts_the_tries_of_a_network(self, db, client):
        for n in range(30):
            enter(client, f"{n}", REMOTE_ADDR="8.8.8.8")

        response = enter(client, "one more", REMOTE_ADDR="8.8.8.77")

        assert response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert b"Many requests came from your network." in response.content
        assert enter(client, "one more", REMOTE_ADDR="9.9.9.9").status_code == 422

    def test_says_so_when_more_people_come_than_it_can_take(self, db, client):
        for n in range(40):
            enter(client, f"{n}")

        response = enter(client, "one more")

        assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert response["Retry-After"] == "2"
        assert b"Try again, or use the phone lines." in response.content

    def test_never_writes_down_what_was_typed(self, db, client, capfd):
        _, number = open_case()

        enter(client, number, "planted-wrong-pin")
        enter(client, number)

        out, err = capfd.readouterr()
        for planted in (number, "planted-wrong-pin", PIN):
            assert planted not in out + err
        assert "planted-wrong-pin" not in enter(client, number, "planted-wrong-pin").content.decode()  # fmt: skip

    def test_gives_the_session_a_new_key(self, db, client, settings):
        """T-07: a key that somebody planted before is worth nothing afterwards."""
        _, number = open_case()
        post(client, "age", {"way": "1", "answer": "no"})
        planted = client.cookies[settings.SESSION_COOKIE_NAME].value

        enter(client, number)

        assert client.cookies[settings.SESSION_COOKIE_NAME].value != planted
        thief = Client()
        thief.cookies[settings.SESSION_COOKIE_NAME] = planted
        assert page(thief, "ready")["Location"] == reverse("victims:open")
        assert not Session.objects.filter(pk=planted).exists()

    @pytest.mark.parametrize("name", ["make", "open", "ready", "stop", "leave_number", "age"])  # fmt: skip
    def test_forms_come_from_our_own_pages(self, opened, name):
        client, number = opened
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = client.cookies

        for headers in ({}, {"origin": "https://elsewhere.example"}):
            response = post(
                strict, name, {"number": number, "pin": PIN}, headers=headers
            )
            assert response.status_code == HTTPStatus.FORBIDDEN

        assert Case.objects.get().is_open


class TestCasePages:
    @pytest.mark.parametrize("name", CASE_PAGES)
    def test_are_closed_to_strangers(self, db, name):
        open_case()

        assert page(Client(), name)["Location"] == reverse("victims:open")

    @pytest.mark.parametrize("name", CASE_PAGES)
    def test_close_after_a_quiet_quarter_of_an_hour(self, opened, clock, name):
        client, _ = opened
        clock.shift(timedelta(minutes=15, seconds=1))

        assert page(client, name)["Location"] == reverse("victims:quiet")
        assert not Session.objects.exists()
        assert b"after a quiet time" in page(client, "quiet").content

    def test_stay_open_while_somebody_is_there_for_an_hour_at_most(self, opened, clock):
        client, _ = opened
        for _ in range(6):
            clock.shift(timedelta(minutes=9))
            assert page(client, "ready").status_code == HTTPStatus.OK

        clock.shift(timedelta(minutes=9))

        assert page(client, "ready")["Location"] == reverse("victims:quiet")

    @pytest.mark.parametrize("name", CASE_PAGES)
    def test_tell_the_browser_when_they_close(self, opened, name):
        client, _ = opened
        post(client, "ready", {}) if name == "now" else None

        text = page(client, name).content.decode()

        assert 'id="quiet"' in text
        assert (
            '<noscript><meta http-equiv="refresh" content="900; url=/quiet/">' in text
        )


def status(client):
    post(client, "ready", {})
    return page(client, "now")


class TestStatus:
    def test_shows_bands_and_days_and_nothing_else(self, db):
        """T-13: the very list of what the page is told."""
        case, _ = open_case(1, 2)

        told = standing(case)

        events = told.pop("events")
        assert told == {
            "is_open": True,
            "hash_count": 2,
            "band": "none",
            "review_on": case.review_on,
        }
        assert [(event.title, event.at) for event in events] == [
            ("Searching earlier posts", NOW),
            ("Fingerprints active", NOW),
        ]

    def test_is_the_same_page_with_and_without_finds_that_nobody_decided(self, opened):
        client, _ = opened
        before = MASKED.sub(b"", status(client).content)

        for row in Case.objects.get().hashes.all():
            MatchFactory(source_ref=row.source_ref)

        assert MASKED.sub(b"", status(client).content) == before

    @pytest.mark.parametrize(
        ("band", "text"),
        [
            ("FEW", "1 to 5 copies were found and removed."),
            ("SOME", "6 to 20 copies were found and removed."),
            ("MANY", "More than 20 copies were found and removed."),
            ("NONE", f"No match on connected services up to {TODAY}."),
        ],
    )
    def test_says_what_was_removed_by_the_day(self, opened, band, text):
        client, _ = opened
        Case.objects.get().show_band(Case.Band(band), NOW)

        page = status(client).content.decode()

        assert text in page
        assert TODAY in page
        assert not re.search(r"\d\d:\d\d", page)

    def test_asks_the_database_the_same_whatever_the_case_holds(self, opened):
        client, _ = opened
        post(client, "ready", {})
        with CaptureQueriesContext(connection) as queries:
            page(client, "now")

        assert len(queries) <= 8

    def test_tells_of_tries_that_did_not_fit(self, db, client):
        _, number = open_case()
        for _ in range(2):
            enter(client, number, "not the right one")
        enter(client, number)

        assert b"2 tries to open your case did not fit since your last visit." in status(client).content  # fmt: skip


class TestStop:
    def test_stops_and_deletes_and_ends_the_visit(self, opened):
        client, _ = opened
        post(client, "ready", {})
        assert b"Deleted at once: 2 fingerprints." in page(client, "stop").content

        response = post(client, "stop", {"pin": PIN})

        assert response["Location"] == reverse("victims:stopped")
        assert not BankedHash.objects.exists()
        assert not Session.objects.exists()
        assert not Case.objects.get().is_open
        assert len(recorded("case.withdrawn")) == 1

    @pytest.mark.parametrize(
        "data", [{}, {"pin": ""}, {"pin": "not the right one"}, {"pin": "%00"}]
    )
    def test_needs_the_pin_again(self, opened, data):
        client, _ = opened

        response = post(client, "stop", data)

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert Case.objects.get().is_open
        assert BankedHash.objects.count() == 2

    def test_of_one_case_does_not_touch_another(self, opened):
        client, _ = opened
        other, _ = open_case(7)

        post(client, "stop", {"pin": PIN})

        other.refresh_from_db()
        assert other.is_open
        assert other.hashes.count() == 1

    def test_leaves_a_case_that_says_when_it_was_stopped(self, opened):
        client, number = opened
        post(client, "stop", {"pin": PIN})

        enter(client, number)
        text = status(client).content.decode()

        assert "Stopped and deleted" in text
        assert TODAY in text
        assert "active" not in text
        assert page(client, "stop")["Location"] == reverse("victims:now")
