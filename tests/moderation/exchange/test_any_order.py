"""Whatever happens in whatever order, and whenever a partner asks: in the end it holds what is true."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.models import (
    AuditEntry,
    BankedHash,
    HashBank,
    Platform,
    Share,
)
from moderation.pipeline import listing
from moderation.services import sharing
from moderation.storage import open_value
from tests.factories import HashBankFactory, PlatformFactory
from tests.moderation.exchange.conftest import (
    Reader,
    bank,
    share,
    unshare,
    value,
    withdraw,
)

SOURCES = ["a" * 32, "b" * 32, "c" * 32]
VALUES = [value(n) for n in range(7)]
# Seven lines for each partner, of which two have two sources; each second brings two or three of them.
GIVEN = [(0, range(3)), (1, range(2, 5)), (2, range(4, 7))]
DEEDS = ["share", "unshare", "bank", "withdraw", "confirm", "doubt", "trust"]

deeds = st.tuples(st.sampled_from(DEEDS), st.integers(0, 2), st.integers(0, 6))
# One page or all of them; going on after that, or coming back with nothing but a second.
reads = st.tuples(st.just("read"), st.integers(0, 1), st.integers(0, 2))
purges = st.tuples(st.just("purge"), st.just(0), st.just(0))
steps = st.lists(st.one_of(deeds, reads, reads, purges), min_size=5, max_size=40)


class Hub:
    """Deeds on three sources and two partners; each reader takes two lines a page."""

    def __init__(self, partners: list[Platform]) -> None:
        self.partners = partners
        self.readers = [Reader(partner, size=2) for partner in partners]
        self.now = timezone.now() - timedelta(days=1)

    def fill(self) -> None:
        for source, values in GIVEN:
            for one in values:
                self.bank(source, one)
            for partner in range(len(self.partners)):
                self.share(source, partner)

    def begun(self) -> "Hub":
        """The same hub as when it was filled, for readers who know nothing of it."""
        hub = Hub(self.partners)
        hub.now = self.now
        return hub

    def moment(self) -> datetime:
        self.now += timedelta(seconds=7)
        return self.now

    def play(self, step: tuple[str, int, int]) -> None:
        name, first, second = step
        deed: Callable[[int, int], Any] = getattr(self, name)
        deed(first, second)

    def share(self, source: int, partner: int) -> None:
        share(SOURCES[source], self.partners[partner % 2], self.moment())

    def unshare(self, source: int, partner: int) -> None:
        known = Share.objects.filter(
            source_ref=SOURCES[source], partner=self.partners[partner % 2]
        )
        if known.exists():
            unshare(SOURCES[source], self.partners[partner % 2], self.moment())

    def bank(self, source: int, what: int) -> None:
        bank(SOURCES[source], VALUES[what], self.moment())

    def withdraw(self, source: int, _: int) -> None:
        withdraw(SOURCES[source], self.moment())

    def confirm(self, source: int, _: int) -> None:
        self._change(source, standing=BankedHash.Standing.CONFIRMED)

    def doubt(self, source: int, _: int) -> None:
        self._change(source, demoted_at=self.now)

    def trust(self, source: int, _: int) -> None:
        self._change(source, standing=BankedHash.Standing.CLAIMED, demoted_at=None)

    def _change(self, source: int, **fields: Any) -> None:
        rows = BankedHash.objects.filter(source_ref=SOURCES[source])
        with transaction.atomic():
            AuditEntry.lock()
            rows.update(**fields)
            listing.on_changed(list(rows), self.moment())

    def read(self, partner: int, pages: int) -> None:
        reader = self.readers[partner]
        if pages == 2:
            reader.poll(self.moment())
        elif not reader.page(self.moment()) or pages == 0:
            reader.break_off()

    def purge(self, *_: int) -> None:
        listing.purge_listed(now=self.moment())

    def truth(self, partner: Platform) -> dict[bytes, tuple[bool, int]]:
        """Each value, whether anybody confirmed it, and how many sources give it."""
        sources = Share.objects.filter(partner=partner).values("source_ref")
        rows = BankedHash.objects.filter(
            source_ref__in=sources, demoted_at__isnull=True
        )
        found: dict[bytes, tuple[bool, int]] = {}
        for row in rows:
            (at,) = (v for v in VALUES if _is(row, v))
            confirmed, count = found.get(at, (False, 0))
            is_confirmed = row.standing == BankedHash.Standing.CONFIRMED
            found[at] = (confirmed or is_confirmed, count + 1)
        return found


def _is(row: BankedHash, value: bytes) -> bool:
    return open_value(row.value_sealed, "bank") == value


def held(reader: Reader) -> dict[bytes, tuple[bool, int]]:
    return {
        line.value: (line.is_confirmed, sum(line.cases.values()))
        for line in reader.held.values()
    }


@pytest.fixture
def filled(db: None) -> Hub:
    HashBankFactory(kind=HashBank.Kind.CASES)
    hub = Hub([PlatformFactory(alias=alias) for alias in ("north", "meadow")])
    hub.fill()
    return hub


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps)
def test_a_reader_ends_with_the_truth(filled, events):
    with transaction.atomic():
        hub = filled.begun()
        for event in events:
            hub.play(event)
        for partner, reader in zip(hub.partners, hub.readers, strict=True):
            assert held(reader.poll(hub.moment())) == hub.truth(partner)
        transaction.set_rollback(True)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps)
def test_a_newcomer_that_knows_no_withdrawals_gets_nothing_dead(filled, events):
    with transaction.atomic():
        hub = filled.begun()
        for event in events:
            hub.play(event)
        for partner in hub.partners:
            newcomer = Reader(partner, knows_withdrawals=False, size=2)
            newcomer.poll(hub.moment())
            assert held(newcomer) == hub.truth(partner)
            assert held(newcomer.poll(hub.moment())) == hub.truth(partner)
        transaction.set_rollback(True)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps)
def test_a_client_of_the_other_protocol_ends_with_the_truth(filled, events):
    """It asks for one span after the other, and lines go by their public ids."""
    with transaction.atomic():
        hub = filled.begun()
        partner, since = hub.partners[0], 0
        lines: dict[str, sharing.Line] = {}
        for event in [*events, ("read", 0, 0)]:
            if event[0] != "read":
                hub.play(event)
                continue
            now = hub.moment()
            until = int(now.timestamp()) - 5
            place = ""
            while True:
                span = sharing.read_range(
                    partner=partner,
                    since=since,
                    until=until,
                    place=place,
                    size=2,
                    now=now,
                )
                lines |= {line.public_id: line for line in span.lines}
                place = span.next_place
                if not place:
                    break
            since = until
        live = [line for line in lines.values() if line.is_live]
        got = {one.value: (one.is_confirmed, sum(one.cases.values())) for one in live}
        assert got == hub.truth(partner)
        transaction.set_rollback(True)
