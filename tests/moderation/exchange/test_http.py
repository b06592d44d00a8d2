"""The doors of the lists, knocked at by hand: what is asked wrongly is refused with a reason."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.http import HttpResponse
from django.test import Client

from moderation.api import exchange_stopncii
from moderation.models import BankedHash, HashOpinion, Platform, token
from moderation.models.partners import Scope
from tests.moderation.api.conftest import make_key, problem_of
from tests.moderation.exchange.conftest import bank, share, value, withdraw

STOPNCII = "/exchange/stopncii/v1/"
ENTRIES = "/exchange/ncmec/v2/entries"
SPACE = "{https://hashsharing.ncmec.org/hashsharing/v2}"
PDQ, MD5 = value(1).hex(), value(2)[:16].hex()


class Partner:
    def __init__(self, platform: Platform) -> None:
        scopes = (Scope.EXCHANGE_READ, Scope.EXCHANGE_WRITE)
        self.raw = make_key(platform, *scopes)[1]
        self.headers = {
            "x-functions-key": self.raw,
            "Ocp-Apim-Subscription-Key": self.raw,
        }

    def fetch(self, **query: Any) -> HttpResponse:
        return Client().get(f"{STOPNCII}FetchHashes", query, headers=self.headers)

    def post(self, name: str, body: Any) -> HttpResponse:
        return Client().post(
            f"{STOPNCII}{name}",
            json.dumps(body),
            content_type="application/json",
            headers=self.headers,
        )

    def submit(self, *records: Any) -> HttpResponse:
        return self.post(
            "SubmitHashes", {"count": len(records), "hashRecords": list(records)}
        )

    def entries(self, path: str = ENTRIES, user: str = "us", **query: Any) -> Any:
        told = base64.b64encode(f"{user}:{self.raw}".encode()).decode()
        return Client().get(path, query, headers={"Authorization": f"Basic {told}"})


@pytest.fixture
def caller(partner: Platform) -> Partner:
    return Partner(partner)


def record(kind: Any = "ImagePDQ", digits: Any = PDQ) -> dict[str, Any]:
    return {"lastModtimestamp": 1, "signalType": kind, "hashValue": digits}


class TestFetchHashes:
    def test_answers_as_the_protocol_says(self, caller, partner, clock):
        share(source := token(), partner, now := next(clock))
        bank(source, value(1), now)

        answer = caller.fetch(startTimestamp=10, pageSize=800)
        body = answer.json()
        (line,) = body.pop("hashRecords")
        (case,) = line.pop("caseNumbers").items()

        assert answer["Content-Type"] == "application/json"
        second = line["lastModtimestamp"]
        assert body == {
            "count": 1,
            "nextPageToken": None,
            "nextSetTimestamp": second + 1,
            "hasMoreRecords": False,
        }
        assert line == {
            "lastModtimestamp": second,
            "signalType": "ImagePDQ",
            "hashValue": PDQ,
            "hashStatus": "Active",
            "CSPFeedbacks": [
                {"feedbackValue": "None", "tags": ["claimed"], "source": "nwmc"}
            ],
        }
        assert case[1] == "Active"
        assert case[0] not in (source, "")

    def test_marks_what_was_withdrawn(self, caller, partner, clock):
        share(source := token(), partner, next(clock))
        bank(source, value(1), next(clock))
        start = caller.fetch(startTimestamp=10).json()["nextSetTimestamp"]
        withdraw(source, next(clock))

        (line,) = caller.fetch(startTimestamp=start).json()["hashRecords"]
        assert line["hashStatus"] == "Withdrawn"
        assert list(line["caseNumbers"].values()) == ["Withdrawn"]
        assert line["CSPFeedbacks"][0]["feedbackValue"] == "NotBlocked"
        assert caller.fetch(startTimestamp=10).json()["hashRecords"] == []

    def test_takes_its_own_mark_for_the_next_page(self, caller, partner, clock):
        share(source := token(), partner, next(clock))
        for number in range(3):
            bank(source, value(number), next(clock))
        first = caller.fetch(startTimestamp=10, pageSize=2).json()
        mark = first["nextPageToken"]
        rest = caller.fetch(startTimestamp=10, pageSize=2, nextPageToken=mark).json()

        assert (first["hasMoreRecords"], rest["hasMoreRecords"]) == (True, False)
        seen = [one["hashValue"] for one in first["hashRecords"] + rest["hashRecords"]]
        assert seen == [value(number).hex() for number in range(3)]
        assert mark == parse_qs(f"t={mark}")["t"][0]
        assert partner.listed.get(changed_second=mark.split(".")[0]).pk

    def test_gives_no_more_on_a_page_than_it_may(
        self, caller, partner, clock, monkeypatch
    ):
        monkeypatch.setattr(exchange_stopncii, "MAX_PAGE", 2)
        share(source := token(), partner, next(clock))
        for number in range(3):
            bank(source, value(number), next(clock))

        assert caller.fetch(pageSize=10**6).json()["count"] == 2

    @pytest.mark.parametrize(
        "query",
        [
            {"startTimestamp": "yesterday"},
            {"startTimestamp": "-1"},
            {"startTimestamp": 2**41},
            {"pageSize": 0},
            {"pageSize": "many"},
            {"nextPageToken": "x" * 101},
        ],
    )
    def test_refuses_a_query_that_it_cannot_read(self, caller, query):
        assert problem_of(caller.fetch(**query)) == (400, "invalid")

    def test_refuses_a_mark_that_it_did_not_give(self, caller):
        answer = caller.fetch(nextPageToken="1790000266.case00798")

        assert problem_of(answer) == (400, "place_unknown")

    def test_shows_each_partner_its_own_list(self, caller, partner, other, clock):
        share(source := token(), partner, next(clock))
        bank(source, value(1), next(clock))

        assert Partner(other).fetch().json()["hashRecords"] == []
        assert caller.fetch().json()["count"] == 1

    @pytest.mark.parametrize("scope", [*Scope])
    def test_needs_its_scope(self, partner, scope):
        raw = make_key(partner, scope)[1]
        headers = {"x-functions-key": raw, "Ocp-Apim-Subscription-Key": raw}
        answer = Client().get(f"{STOPNCII}FetchHashes", headers=headers)

        assert answer.status_code == (200 if scope == Scope.EXCHANGE_READ else 403)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"x-functions-key": "fnkey"},
            {"Ocp-Apim-Subscription-Key": "subkey"},
            {"x-functions-key": "hub_", "Ocp-Apim-Subscription-Key": "hub_"},
            {"x-functions-key": "\xe9", "Ocp-Apim-Subscription-Key": "\xe9"},
            {"Authorization": "Basic =="},
        ],
    )
    def test_needs_a_key(self, partner, headers):
        answer = Client().get(f"{STOPNCII}FetchHashes", headers=headers)

        assert problem_of(answer)[0] == 401

    def test_is_counted_against_the_key(self, caller, settings):
        settings.API_TOKENS_PER_SECOND = 1
        settings.API_TOKENS_BURST = 12
        codes = [caller.fetch().status_code for _ in range(3)]

        assert codes == [200, 200, 429]


class TestSubmitHashes:
    @pytest.mark.parametrize("kind", ["ImagePDQ", "StopNCIISignalType.ImagePDQ"])
    def test_takes_both_spellings_of_a_type(self, caller, partner, kind):
        answer = caller.submit(record(kind))

        assert (answer.status_code, answer.json()) == (200, {"count": 1})
        assert BankedHash.objects.get().bank.owner == partner

    @pytest.mark.parametrize(
        "wrong",
        [
            record(digits=PDQ[:-1]),
            record(digits=PDQ + "0"),
            record(digits=PDQ.upper()),
            record(digits="g" * 64),
            record(digits=f"{PDQ}\n"),
            record(digits=7),
            record(digits=None),
            record("ImagePDQ", MD5),
            record("VideoMD5", PDQ),
            record("VideoTMK"),
            record("Text", "words"),
            record("Unknown"),
            record(5),
            {"hashValue": PDQ},
            "text",
            None,
        ],
    )
    def test_refuses_all_if_one_is_wrong_and_says_which(self, caller, wrong):
        answer = caller.submit(record("VideoMD5", MD5), wrong)

        assert problem_of(answer) == (400, "invalid")
        assert "1" in answer.json()["errors"]["hashRecords"]
        assert PDQ not in answer.content.decode().lower()
        assert not BankedHash.objects.exists()

    @pytest.mark.parametrize("digits", ["0" * 64, "f" * 64, "00" * 31 + "01"])
    def test_refuses_what_no_picture_has(self, caller, digits):
        answer = caller.submit(record(), record(digits=digits))

        assert problem_of(answer) == (422, "hash_refused")
        assert not BankedHash.objects.exists()

    @pytest.mark.parametrize("body", [{}, [], {"hashRecords": []}, {"hashRecords": 1}])
    def test_refuses_another_shape(self, caller, body):
        assert problem_of(caller.post("SubmitHashes", body)) == (400, "invalid")

    def test_refuses_more_than_a_thousand(self, caller):
        answer = caller.submit(*[record()] * 1001)

        assert problem_of(answer) == (400, "invalid")

    def test_costs_a_tenth_of_a_token_for_each(self, caller, settings):
        settings.API_TOKENS_PER_SECOND = 1
        settings.API_TOKENS_BURST = 12
        codes = [caller.submit(*[record()] * 100).status_code for _ in range(2)]

        assert codes == [200, 429]

    def test_needs_its_scope(self, partner):
        raw = make_key(partner, Scope.EXCHANGE_READ)[1]
        reader = Partner(partner)
        reader.headers = dict.fromkeys(reader.headers, raw)

        assert problem_of(reader.submit(record()))[0] == 403


class TestSubmitFeedback:
    def say(self, caller: Partner, word: str, digits: str = PDQ) -> HttpResponse:
        feedback = {"tags": [], "feedbackValue": word, "hashValue": digits}
        body = {"count": 1, "hashFeedbacks": [feedback]}
        return caller.post("SubmitFeedback", body)

    @pytest.mark.parametrize(
        ("word", "is_right"),
        [
            ("Blocked", True),
            ("NotBlocked", False),
            ("StopNCIICSPFeedbackValue.NotBlocked", False),
        ],
    )
    def test_is_an_opinion(self, caller, partner, clock, word, is_right):
        share(source := token(), partner, next(clock))
        bank(source, value(1), next(clock))
        answer = self.say(caller, word)

        assert answer.json() == {"count": 1, "unknownCount": 0}
        assert HashOpinion.objects.get().is_right == is_right

    def test_on_what_is_not_on_its_list_says_nothing(self, caller, clock):
        bank(token(), value(1), next(clock))
        known, unknown = (
            self.say(caller, "NotBlocked"),
            self.say(caller, "Blocked", MD5),
        )

        assert known.json() == unknown.json() == {"count": 1, "unknownCount": 1}
        assert not HashOpinion.objects.exists()

    def test_of_two_partners_takes_a_line_off_all_lists(
        self, caller, partner, other, clock
    ):
        for one in (partner, other):
            share("a" * 32, one, next(clock))
        bank("a" * 32, value(1), next(clock))
        for one in (caller, Partner(other)):
            self.say(one, "NotBlocked")

        assert caller.fetch().json()["hashRecords"] == []
        assert BankedHash.objects.get().demoted_at is not None

    @pytest.mark.parametrize("word", ["Unknown", "Withdrawn", "blocked", "", 3, None])
    def test_refuses_another_word(self, caller, word):
        assert problem_of(self.say(caller, word)) == (400, "invalid")


@pytest.mark.parametrize("path", ["", "stopncii/v1/", "stopncii/v1/FetchHashes/", "x"])
def test_any_other_address_is_not_there(caller, path):
    answer = Client().get(
        f"/exchange/{path}", headers={"Authorization": f"Bearer {caller.raw}"}
    )

    assert problem_of(answer) == (404, "not_found")
