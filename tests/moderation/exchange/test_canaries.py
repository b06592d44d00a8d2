"""Fingerprints of nothing tell whose list is in other hands."""

import pytest
from django.core.management import CommandError, call_command
from structlog.testing import capture_logs

from moderation import services
from moderation.hashing import plausible
from moderation.models import AuditEntry, BankedHash, ListedHash, token
from moderation.pipeline import listing
from moderation.services import sharing
from moderation.services.banks import Given
from moderation.services.sharing import canaries
from moderation.storage import blind_index, open_value
from tests.moderation.exchange.conftest import (
    Reader,
    bank,
    share,
    unshare,
    value,
    withdraw,
)


def plant(partner, now, count=3) -> None:
    sharing.plant_canaries(partner=partner, count=count, actor="keeper", now=now)


class TestPlanting:
    def test_puts_lines_on_one_list_and_in_no_bank(self, partner, other, clock):
        plant(partner, next(clock))

        assert len(Reader(partner).poll(next(clock)).values) == 3
        assert Reader(other).poll(next(clock)).values == set()
        assert not BankedHash.objects.exists()

    def test_makes_what_a_picture_could_have(self, partner, clock):
        plant(partner, next(clock), 50)
        values = Reader(partner).poll(next(clock)).values

        assert len(values) == 50
        # The median of its own coefficients splits every picture's into halves.
        assert {int.from_bytes(one).bit_count() for one in values} == {128}
        assert all(plausible(one) for one in values)

    def test_shows_nothing_that_tells_them_from_others(self, partner, clock):
        share(source := token(), partner, now := next(clock))
        bank(source, value(1), now)
        plant(partner, now, 1)
        real, canary = Reader(partner).poll(next(clock)).held.values()

        for name in ("signal_type", "is_live", "is_confirmed"):
            assert getattr(real, name) == getattr(canary, name)
        assert list(real.cases.values()) == list(canary.cases.values())
        assert canary.second - real.second == 2

    def test_is_on_the_record_without_a_value(self, partner, clock):
        plant(partner, next(clock))

        (entry,) = AuditEntry.objects.all()
        assert entry.facts["verb"] == "share.canaries_planted"
        assert entry.facts["details"] == {"count": 3}

    def test_survives_what_happens_to_an_equal_fingerprint(self, partner, clock):
        """Whoever got at the list might submit what is on it."""
        plant(partner, next(clock), 1)
        line = ListedHash.objects.get()
        leaked = open_value(line.value_sealed, "exchange")
        share(source := token(), partner, next(clock))
        bank(source, leaked, next(clock))
        unshare(source, partner, next(clock))
        withdraw(source, next(clock))
        listing.purge_listed(now=next(clock))

        assert Reader(partner).poll(next(clock)).values == {leaked}


class TestTheCommand:
    def test_plants_as_many_as_it_is_told(self, partner, clock, capsys):
        call_command("plant_canaries", partner.alias, count=4)

        assert ListedHash.objects.filter(partner=partner, is_canary=True).count() == 4
        assert capsys.readouterr().out == "Planted 4 on the list of Northwind.\n"

    @pytest.mark.parametrize(("alias", "count"), [("nobody", 4), ("northwind", 0)])
    def test_refuses_what_cannot_be(self, partner, alias, count):
        with pytest.raises(CommandError):
            call_command("plant_canaries", alias, count=count)


class TestTheAlarm:
    def ask(self, platform, *values: bytes) -> tuple[bool, list]:
        indexes = [blind_index(one, "pdq") for one in values]
        with capture_logs() as logs:
            heard = sharing.canary_alarm(platform=platform, indexes=indexes)
        return heard, logs

    def test_names_the_partner_and_who_asked_and_never_the_value(
        self, partner, other, clock
    ):
        plant(partner, next(clock))
        (canary, *_) = Reader(partner).poll(next(clock)).values
        heard, logs = self.ask(other, value(1), canary)

        assert heard
        (line,) = logs
        assert (line["event"], line["log_level"]) == ("canary_queried", "error")
        assert (line["partner"], line["platform"]) == (partner.alias, other.alias)
        assert canary.hex() not in str(logs)
        assert blind_index(canary, "pdq") not in str(logs)

    def test_is_silent_about_anything_else(self, partner, other, clock):
        plant(partner, next(clock))
        share(source := token(), partner, next(clock))
        bank(source, value(1), next(clock))

        assert self.ask(other, value(1), value(2)) == (False, [])

    def test_is_raised_by_asking_before_publishing(
        self, partner, other, clock, monkeypatch
    ):
        plant(partner, next(clock))
        (canary, *_) = Reader(partner).poll(next(clock)).values
        monkeypatch.setattr(canaries._known, "until", 0.0)  # as in a new process
        query = services.query_of("pdq", canary)
        with capture_logs() as logs:
            (verdict,) = services.match(
                platform=other, queries=[query], now=next(clock)
            )

        assert verdict.verdict == "allow"
        assert [line["event"] for line in logs] == ["canary_queried"]

    def test_is_raised_by_sending_one_as_ones_own(self, partner, other, clock):
        plant(partner, next(clock))
        (canary, *_) = Reader(partner).poll(next(clock)).values
        with capture_logs() as logs:
            sharing.take_hashes(
                partner=other, given=[Given("pdq", canary)], now=next(clock)
            )

        assert "canary_queried" in [line["event"] for line in logs]

    def test_costs_one_query(self, partner, other, clock, django_assert_num_queries):
        plant(partner, next(clock))

        with django_assert_num_queries(1):
            self.ask(other, *(value(number) for number in range(100)))
