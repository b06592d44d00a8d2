"""The door of the NCMEC list, knocked at by hand: what is asked wrongly is refused with a reason."""

import base64
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from moderation.api import exchange_ncmec
from moderation.models import token
from tests.moderation.api.conftest import problem_of
from tests.moderation.exchange.conftest import bank, share, value, withdraw
from tests.moderation.exchange.test_http import (
    ENTRIES,
    MD5,
    PDQ,
    SPACE,
    caller,
)

__all__ = ["caller"]


class TestEntries:
    def tree(self, answer: HttpResponse) -> ET.Element:
        assert answer["Content-Type"] == "application/xml; charset=utf-8"
        return ET.fromstring(answer.content)  # noqa: S314 (our own answer)

    def test_answers_as_the_protocol_says(self, caller, partner, clock):
        share(source := token(), partner, next(clock))
        bank(source, value(1), next(clock))
        bank(source, value(2)[:16], next(clock), "md5")
        root = self.tree(caller.entries())
        texts = {node.tag.removeprefix(SPACE): node.text for node in root.iter()}

        assert root.tag == f"{SPACE}queryResult"
        assert texts["pdq"] == PDQ
        assert texts["md5"] == MD5
        assert texts["classification"] == "NCII_CLAIMED"
        for block in root:
            (entry,) = block
            assert block.get("count") == "1"
            assert block.get("maxTimestamp") == entry.findtext(f"{SPACE}timestamp")
            assert len(block.get("maxTimestamp")) == len("2026-09-21T14:18:52Z")
            assert entry.find(f"{SPACE}member").get("id") == "1"

    def test_of_a_deleted_one_has_its_name_alone(self, caller, partner, clock):
        share(source := token(), partner, next(clock))
        bank(source, value(1), next(clock))
        before = self.tree(caller.entries())
        withdraw(source, next(clock))
        after = self.tree(caller.entries())

        (live,), (dead,) = (
            before.iter(f"{SPACE}image"),
            after.iter(f"{SPACE}deletedImage"),
        )
        assert live.findtext(f"{SPACE}id") == dead.findtext(f"{SPACE}id")
        assert dead.find(f"{SPACE}fingerprints") is None

    def test_names_the_next_page_below_the_clients_address(
        self, caller, partner, clock, monkeypatch
    ):
        monkeypatch.setattr(exchange_ncmec, "PAGE", 2)
        share(source := token(), partner, next(clock))
        for number in range(3):
            bank(source, value(number), next(clock))
        path = self.tree(caller.entries()).findtext(f"{SPACE}paging/{SPACE}next")
        asked = parse_qs(urlsplit(path).query)
        rest = self.tree(caller.entries(f"/exchange/ncmec{path}"))

        assert path.startswith("/v2/entries?")
        assert (asked["start"], asked["size"], asked["max"]) == (["3"], ["2"], ["3"])
        assert len(list(rest.iter(f"{SPACE}image"))) == 1
        assert rest.find(f"{SPACE}paging") is None

    @pytest.mark.parametrize(
        "query",
        [
            {"from": "yesterday"},
            {"to": ""},
            {"to": "9999-99-99T00:00:00Z"},
            {"after": "7"},
        ],
    )
    def test_refuses_a_query_that_it_cannot_read(self, caller, query):
        assert problem_of(caller.entries(**query))[0] == 400

    @pytest.mark.parametrize(
        "query",
        [
            {"from": "1969-12-31T16:00:00Z", "to": "9999-12-31T00:00:00Z"},
            {"from": "2999-01-01T00:00:00.123+02:00"},
            {"from": "0001-01-01T00:00:00+14:00", "start": "x"},
        ],
    )
    def test_takes_any_time(self, caller, query):
        assert caller.entries(**query).status_code == 200

    @pytest.mark.parametrize("told", ["", "x", "dXM6", "/w==", "dXNlcg=="])
    def test_needs_a_key_as_the_password(self, caller, told):
        answer = Client().get(ENTRIES, headers={"Authorization": f"Basic {told}"})

        assert problem_of(answer)[0] == 401

    @pytest.mark.parametrize("kind", ["application/xml", "text/xml", "*/*", "x/y"])
    def test_is_xml_whatever_is_asked_for(self, caller, kind):
        told = base64.b64encode(f"us:{caller.raw}".encode()).decode()
        headers = {"Authorization": f"Basic {told}", "Accept": kind}

        self.tree(Client().get(ENTRIES, headers=headers))

    def test_takes_any_user_name(self, caller):
        assert caller.entries(user="").status_code == 200
