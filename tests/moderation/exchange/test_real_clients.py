"""The field's own clients pull from a running server, unchanged."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from django.utils import timezone
from PIL import Image
from pytest_django.live_server_helper import LiveServer

from moderation import services
from moderation.api import exchange_ncmec, exchange_stopncii
from moderation.hashing import pdq
from moderation.models import (
    BankedHash,
    HashBank,
    HashOpinion,
    ListedHash,
    Platform,
    token,
)
from moderation.models.partners import Scope
from moderation.services import sharing
from tests.factories import HashBankFactory, MatchFactory, PlatformFactory
from tests.moderation.api.conftest import make_key
from tests.moderation.exchange.conftest import bank, share, value, withdraw
from tests.moderation.exchange.real_clients import (
    Subscriber,
    cli,
    ncmec,
    ncmec_exchange,
    nwmc_exchange,
    stopncii,
    stopncii_exchange,
)

pytestmark = pytest.mark.django_db(transaction=True)

# What is served on a page here, so that three of them are soon filled.
A_PAGE = 20
THREE_PAGES = 50


@pytest.fixture
def partner(transactional_db: None) -> Platform:
    HashBankFactory()
    return PlatformFactory(alias="northwind", name="Northwind & Sons <b>")


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_stopncii, "MAX_PAGE", A_PAGE)
    monkeypatch.setattr(exchange_ncmec, "PAGE", A_PAGE)


@pytest.fixture
def raw(partner: Platform) -> str:
    return make_key(partner, Scope.EXCHANGE_READ, Scope.EXCHANGE_WRITE)[1]


@pytest.fixture
def ago() -> Callable[[int], Any]:
    """A moment of the last hours, by the minute."""
    began = timezone.now() - timedelta(hours=5)
    return lambda minute: began + timedelta(minutes=minute)


def shipped(server: LiveServer, raw: str) -> Subscriber:
    return Subscriber(stopncii_exchange(server.url, raw, raw))


def extended(server: LiveServer, raw: str) -> Subscriber:
    return Subscriber(nwmc_exchange(server.url, raw))


def given(source: str, partner: Platform, number: int, now: Any) -> str:
    """Share one fingerprint; its digits."""
    share(source, partner, now)
    bank(source, value(number), now)
    return value(number).hex()


def many(partner: Platform, now: Any) -> set[str]:
    """Fingerprints of one source, in one second; their digits."""
    share(source := token(), partner, now)
    hashes = [
        services.NewHash("pdq", value(1000 + number), 100, source)
        for number in range(THREE_PAGES)
    ]
    home = HashBank.objects.get(slug="cases")
    services.bank_hashes(bank=home, hashes=hashes, actor="hub", now=now)
    return {one.value.hex() for one in hashes}


class TestTheShippedStopNCIIClient:
    def test_reads_a_list_over_three_pages(self, live_server, partner, raw, ago):
        expected = many(partner, ago(0))
        subscriber = shipped(live_server, raw).fetch()

        assert subscriber.pdq == expected
        assert len(subscriber.progress) == 3
        assert subscriber.progress == sorted(subscriber.progress)

    def test_gets_only_what_is_new_and_its_checkpoint_never_goes_back(
        self, live_server, partner, raw, ago
    ):
        one = given(token(), partner, 1, ago(0))
        subscriber = shipped(live_server, raw).fetch()
        subscriber.held.clear()
        subscriber.fetch()
        assert subscriber.pdq == set()
        other = given(token(), partner, 2, ago(1))
        subscriber.fetch()

        assert subscriber.pdq == {other} != {one}
        assert subscriber.progress == sorted(subscriber.progress)

    def test_may_break_off_and_go_on_from_its_checkpoint(
        self, live_server, partner, raw, ago
    ):
        expected = many(partner, ago(0))
        subscriber = shipped(live_server, raw).fetch(pages=1).fetch()

        assert subscriber.pdq == expected

    def test_knows_file_digests_and_ignores_no_type(
        self, live_server, partner, raw, ago
    ):
        share(source := token(), partner, ago(0))
        bank(source, value(1), ago(0))
        bank(source, value(2)[:16], ago(0), "md5")
        bank(source, value(3), ago(0), "sha256")

        signals = shipped(live_server, raw).fetch().signals
        assert {kind: set(values) for kind, values in signals.items()} == {
            "pdq": {value(1).hex()},
            "video_md5": {value(2)[:16].hex()},
        }

    def test_tells_claims_from_what_was_confirmed(
        self, live_server, partner, raw, ago, reviewer
    ):
        claimed = given(token(), partner, 1, ago(0))
        confirmed = given(source := token(), partner, 2, ago(0))
        row = BankedHash.objects.get(source_ref=source)
        content = MatchFactory(banked_hash=row).content
        services.confirm_matches(
            content=content, cause_ref=token(), actor=reviewer, now=ago(1)
        )

        said = shipped(live_server, raw).fetch().signals["pdq"]
        names = {
            digits: metadata.get_as_aggregate_opinion().category.name
            for digits, metadata in said.items()
        }
        assert names == {
            claimed: "INVESTIGATION_SEED",
            confirmed: "POSITIVE_CLASS",
        }
        assert "nwmc" in str(said[confirmed])

    def test_never_sees_a_dead_fingerprint_when_it_comes_after_its_death(
        self, live_server, partner, raw, ago
    ):
        given(gone := token(), partner, 1, ago(0))
        withdraw(gone, ago(1))
        stays = given(token(), partner, 2, ago(2))
        newcomer = shipped(live_server, raw).fetch()

        assert newcomer.pdq == {stays}
        assert newcomer.fetch().pdq == {stays}

    def test_keeps_what_was_withdrawn_later_as_disputed(
        self, live_server, partner, raw, ago
    ):
        """Its mistake, for which the extension is; this is why there is one."""
        digits = given(source := token(), partner, 1, ago(0))
        subscriber = shipped(live_server, raw).fetch()
        withdraw(source, ago(1))
        said = subscriber.fetch().signals["pdq"][digits]

        assert said.get_as_aggregate_opinion().category.name != "POSITIVE_CLASS"

    @pytest.mark.parametrize("form", ["prefix", "bare prefix", "whole"])
    def test_is_let_in_with_the_halves_of_its_key_or_the_whole(
        self, live_server, partner, raw, ago, form
    ):
        digits = given(token(), partner, 1, ago(0))
        _, prefix, secret = raw.split("_", 2)
        named = {"prefix": f"hub_{prefix}", "bare prefix": prefix, "whole": raw}[form]
        exchange = stopncii_exchange(live_server.url, named, secret)

        assert Subscriber(exchange).fetch().pdq == {digits}

    @pytest.mark.parametrize("wrong", ["secret", "prefix", "both", "other scope"])
    def test_is_kept_out_with_another_key(self, live_server, partner, raw, wrong):
        prefix = raw.split("_")[1]
        named, proof = {
            "secret": (f"hub_{prefix}", "x" * 43),
            "prefix": ("hub_000000000000", raw),
            "both": ("fnkey", "subkey"),
            "other scope": (make_key(partner, Scope.MATCH_HASH)[1],) * 2,
        }[wrong]
        exchange = stopncii_exchange(live_server.url, named, proof)

        with pytest.raises(requests.HTTPError) as refused:
            Subscriber(exchange).fetch()
        expected = 403 if wrong == "other scope" else 401
        assert refused.value.response.status_code == expected


class TestWhatItSends:
    @pytest.fixture
    def client(self, live_server: LiveServer, raw: str) -> stopncii.StopNCIIAPI:
        both = {
            stopncii.StopNCIIEndpoint.SubmitHashes: raw,
            stopncii.StopNCIIEndpoint.SubmitFeedback: raw,
        }
        base = f"{live_server.url}/exchange/stopncii/v1"
        return stopncii.StopNCIIAPI(raw, raw, both, base)

    def test_is_banked_as_its_own(self, client, partner):
        kinds = stopncii.StopNCIISignalType
        for _ in range(2):
            client.submit_hash(kinds.ImagePDQ, value(1).hex())
            client.submit_hash(kinds.VideoMD5, value(2)[:16].hex())

        rows = BankedHash.objects.select_related("bank").order_by("pk")
        assert [row.signal_type for row in rows] == ["pdq", "md5"]
        assert {row.bank.owner for row in rows} == {partner}
        assert {row.standing for row in rows} == {BankedHash.Standing.CLAIMED}
        assert not ListedHash.objects.exists()

    def test_is_an_opinion_on_what_is_on_its_list(self, client, partner, ago):
        kinds, said = stopncii.StopNCIISignalType, stopncii.StopNCIICSPFeedbackValue
        digits = given(source := token(), partner, 1, ago(0))
        bank(token(), value(1), ago(0))
        bank(token(), value(2), ago(0))
        for opinion in (said.Blocked, said.PendingReview, said.NotBlocked):
            client.submit_feedback(kinds.ImagePDQ, digits, opinion)
        client.submit_feedback(kinds.ImagePDQ, value(2).hex(), said.NotBlocked)

        (opinion,) = HashOpinion.objects.select_related("banked_hash")
        assert opinion.banked_hash.source_ref == source
        assert (opinion.platform, opinion.is_right) == (partner, False)


class TestTheExtension:
    def test_drops_what_was_withdrawn(self, live_server, partner, raw, ago):
        stays = given(token(), partner, 1, ago(0))
        given(gone := token(), partner, 2, ago(1))
        subscriber = extended(live_server, raw).fetch()
        assert len(subscriber.pdq) == 2
        withdraw(gone, ago(2))

        assert subscriber.fetch().pdq == {stays}

    def test_keeps_a_fingerprint_of_two_cases_until_the_last_goes(
        self, live_server, partner, raw, ago
    ):
        digits = given(first := token(), partner, 1, ago(0))
        given(second := token(), partner, 1, ago(1))
        subscriber = extended(live_server, raw).fetch()
        seen = []
        for minute, source in enumerate((first, second), 2):
            withdraw(source, ago(minute))
            seen.append(subscriber.fetch().pdq)

        assert seen == [{digits}, set()]

    def test_gets_back_what_is_shared_again(self, live_server, partner, raw, ago):
        digits = given(source := token(), partner, 1, ago(0))
        subscriber = extended(live_server, raw).fetch()
        sharing.unshare_source(
            source_ref=source, partner=partner, actor="hub", now=ago(1)
        )
        assert subscriber.fetch().pdq == set()
        share(source, partner, ago(2))

        assert subscriber.fetch().pdq == {digits}


class TestTheCommand:
    """``threatexchange`` as its users type it, with the extension."""

    @pytest.fixture
    def command(
        self, tmp_path: Path, live_server: LiveServer, raw: str, monkeypatch: Any
    ) -> Callable[..., None]:
        keys = f"{raw},{live_server.url}/exchange/stopncii/v1"
        monkeypatch.setenv("TX_NWMC_KEYS", keys)
        (tmp_path / "state").mkdir()

        def run(*words: str) -> None:
            cli.inner_main(words, state_dir=tmp_path / "state")

        run("config", "extensions", "add", "threatexchange_nwmc")
        run("config", "collab", "edit", "nwmc", "--create", "NWMC")
        return run

    def test_matches_a_shared_picture_until_it_is_withdrawn(
        self, command, partner, ago, pictures, tmp_path, capsys
    ):
        path = tmp_path / "astronaut.jpg"
        Image.open(pictures / "astronaut.png").convert("RGB").save(path, quality=80)
        pixels = np.asarray(Image.open(pictures / "astronaut.png").convert("RGB"))
        # The package's own index of a single fingerprint forgets it when it is stored.
        for number in range(3):
            given(token(), partner, number, ago(0))
        share(source := token(), partner, ago(0))
        bank(source, pdq(pixels).hash, ago(0))
        said = []
        for minute in (1, 2):
            command("fetch", "--only-collab", "NWMC")
            capsys.readouterr()
            command("match", "photo", str(path))
            said.append(capsys.readouterr().out)
            withdraw(source, ago(minute))

        assert said[0].startswith("pdq ")
        assert "INVESTIGATION_SEED" in said[0]
        assert said[1] == ""


class TestTheNCMECClient:
    def client(self, server: LiveServer, raw: str) -> ncmec.NCMECHashAPI:
        return ncmec_exchange(server.url, raw).get_client(ncmec.NCMECEnvironment.NGO)

    def test_learns_who_it_is_and_who_else_there_is(self, live_server, raw):
        client = self.client(live_server, raw)

        assert client.status().esp_name == "Northwind & Sons <b>"
        assert [one.esp_id for one in client.members()] == [1, 2]

    def test_reads_a_list_of_several_pages_and_then_what_is_new(
        self, live_server, partner, raw, ago
    ):
        expected = many(partner, ago(0))
        subscriber = Subscriber(ncmec_exchange(live_server.url, raw)).fetch()
        assert subscriber.pdq == expected
        subscriber.checkpoint.get_entries_max_ts -= 60
        subscriber.held.clear()
        new = given(token(), partner, 1, timezone.now() - timedelta(seconds=30))

        assert subscriber.fetch().pdq == {new}

    def test_drops_what_was_withdrawn(self, live_server, partner, raw, ago):
        share(source := token(), partner, ago(0))
        bank(source, value(2)[:16], ago(0), "md5")
        stays = given(token(), partner, 1, ago(0))
        given(gone := token(), partner, 3, ago(0))
        subscriber = Subscriber(ncmec_exchange(live_server.url, raw)).fetch()
        assert len(subscriber.pdq) == 2
        subscriber.checkpoint.get_entries_max_ts -= 60
        withdraw(gone, timezone.now() - timedelta(seconds=30))
        withdraw(source, timezone.now() - timedelta(seconds=30))

        assert subscriber.fetch().signals.keys() == {"pdq"}
        assert subscriber.pdq == {stays}

    def test_misses_nothing_where_its_clock_is_local(
        self, live_server, partner, raw, ago, monkeypatch
    ):
        monkeypatch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        try:
            subscriber = Subscriber(ncmec_exchange(live_server.url, raw)).fetch()
            digits = given(token(), partner, 1, timezone.now())
            subscriber.checkpoint.get_entries_max_ts -= 60

            assert subscriber.fetch().pdq == {digits}
        finally:
            monkeypatch.undo()
            time.tzset()

    def test_is_kept_out_with_another_key(self, live_server, raw):
        with pytest.raises(requests.HTTPError) as refused:
            self.client(live_server, raw[:-3] + "xxx").status()
        assert refused.value.response.status_code == 401
