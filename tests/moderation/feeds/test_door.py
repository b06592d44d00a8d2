"""The exchange clients get out to their own host, over TLS, at a public address, and nowhere else (T-33)."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from moderation.platforms import PlatformError
from moderation.platforms.feeds import Page
from moderation.platforms.feeds.door import Door
from moderation.platforms.feeds.ncmec import Ncmec
from moderation.platforms.feeds.stopncii import StopNCII
from moderation.platforms.outbound import Wire
from tests.factories import NOW
from tests.moderation.feeds.conftest import KEYS, pdqs
from tests.moderation.feeds.partner import Partner, image
from tests.moderation.platforms.receiver import HOST, self_signed

PUBLIC = "93.184.215.14"


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[Partner]:
    partner = Partner(tls=self_signed(tmp_path))
    partner.open()
    yield partner
    partner.close()


def wire(
    partner: Partner, address: str = PUBLIC, tls: ssl.SSLContext | None = None
) -> Wire:
    def connect(asked: str, seconds: float) -> socket.socket:
        assert asked == PUBLIC
        return socket.create_connection(("127.0.0.1", partner.port), timeout=seconds)

    return Wire(
        resolve=lambda host: [address], connect=connect, tls=tls or partner.trust
    )


def asked(partner: Partner, **more) -> Page:
    way = more.pop("wire", None) or wire(partner, **more)
    client = StopNCII(KEYS["STOPNCII"], f"https://{HOST}/v1", wire=way)
    return client.page({}, NOW)


def refusal(partner: Partner, **more) -> str:
    with pytest.raises(PlatformError) as caught:
        asked(partner, **more)
    return caught.value.code


class TestTheWayOut:
    def test_leads_to_the_partner_at_the_address_that_was_checked(self, partner):
        partner.add(pdqs(1)[0])

        assert len(asked(partner).records) == 1
        assert partner.headers[0]["Host"] == HOST

    def test_is_the_same_for_ncmec(self, partner):
        partner.enter(100, image("e", pdq=pdqs(1)[0]))
        client = Ncmec(KEYS["NCMEC"], f"https://{HOST}", wire=wire(partner))

        assert len(client.page({}, NOW).records) == 1

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "::1",
            "::ffff:10.0.0.1",
            "fd00::1",
        ],
    )
    def test_never_leads_inwards(self, partner, address):
        assert refusal(partner, address=address) == "address_refused"
        assert partner.asked == []

    def test_looks_at_who_answers(self, partner):
        stranger = ssl.create_default_context()

        assert refusal(partner, tls=stranger) == "unreachable"
        assert partner.asked == []

    def test_cannot_be_bent_by_a_redirect(self, partner):
        partner.reply = lambda *_: (307, b"")
        partner.sent = {"Location": "https://elsewhere.example/v1/FetchHashes"}

        assert refusal(partner) == "redirected"
        assert len(partner.asked) == 1

    def test_leads_to_no_other_host(self, partner):
        door = Door(f"https://{HOST}/v1", wire=wire(partner))
        session = door.guard(requests.Session())

        for url in (
            f"https://{HOST}.evil.example/v1",
            f"https://{HOST}@evil.example/v1",
            "https://evil.example/",
            f"http://{HOST}/v1",
        ):
            with pytest.raises((PlatformError, requests.exceptions.InvalidSchema)):
                session.get(url)
        assert partner.asked == []

    def test_heeds_no_proxy_of_the_machine(self, partner, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

        assert asked(partner).is_last

    def test_takes_plain_http_only_where_it_is_told_to(self):
        client = StopNCII(KEYS["STOPNCII"], "http://127.0.0.1:9/v1")

        with pytest.raises(PlatformError):
            client.page({}, NOW)

    def test_waits_for_no_drip(self, partner, monkeypatch):
        monkeypatch.setattr("moderation.platforms.feeds.door.PAGE_SECONDS", -1.0)

        assert refusal(partner) == "too_slow"

    def test_names_an_answer_that_breaks_off(self, partner):
        partner.sent = {"Content-Length": "9999"}
        partner.hangs_up = True

        assert refusal(partner) == "unreachable"

    def test_asks_for_credentials_first(self, partner):
        with pytest.raises(PlatformError, match="credentials_missing"):
            StopNCII({"fetch_key": "a"}, f"https://{HOST}", wire=wire(partner))
