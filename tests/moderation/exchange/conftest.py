"""A hub with partners: what people submit, who may read it, and readers as the field's clients are."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from moderation import services
from moderation.models import BankedHash, HashBank, ListedHash, Platform
from moderation.services import sharing
from tests.factories import HashBankFactory, PlatformFactory

BEGAN = 10  # where a client of the StopNCII protocol begins


def value(number: int, bits: int = 128) -> bytes:
    """A PDQ hash as a picture could have it, always the same for a number."""
    chosen = random.Random(number).sample(range(256), bits)  # noqa: S311 (repeatable, not secret)
    return sum(1 << bit for bit in chosen).to_bytes(32, "big")


def bank(
    source_ref: str, value: bytes, now: datetime, signal_type: str = "pdq"
) -> BankedHash:
    return services.bank_hash(
        bank="cases",
        signal_type=signal_type,
        value=value,
        quality=100 if signal_type == "pdq" else None,
        source_ref=source_ref,
        actor="hub",
        now=now,
    )


def share(source_ref: str, partner: Platform, now: datetime) -> None:
    sharing.share_source(source_ref=source_ref, partner=partner, actor="hub", now=now)


def unshare(source_ref: str, partner: Platform, now: datetime) -> None:
    sharing.unshare_source(source_ref=source_ref, partner=partner, actor="hub", now=now)


def withdraw(source_ref: str, now: datetime) -> None:
    services.withdraw_source(source_refs=[source_ref], actor="hub", now=now)


@dataclass
class Reader:
    """Keeps what it is given, as a client does: whole lines, the last one counts; a withdrawn one goes."""

    partner: Platform
    knows_withdrawals: bool = True
    size: int = 100
    start: int = BEGAN
    held: dict[tuple[str, bytes], sharing.Line] = field(default_factory=dict)
    place: str = ""

    def page(self, now: datetime) -> bool:
        """Read one page; whether there is another one."""
        page = sharing.read_page(
            partner=self.partner,
            start=self.start,
            place=self.place,
            size=self.size,
            now=now,
        )
        assert page.next_second >= self.start
        for line in page.lines:
            key = (line.signal_type, line.value)
            if self.knows_withdrawals and not line.is_live:
                self.held.pop(key, None)
            else:
                self.held[key] = line
        self.place = page.next_place
        # A client goes on with its page's mark and the old start, and keeps the new one for the next time.
        self.next = page.next_second
        return bool(page.next_place)

    def poll(self, now: datetime) -> "Reader":
        while self.page(now):
            pass
        return self.break_off()

    def break_off(self) -> "Reader":
        """Come back later, with nothing but the second it was told."""
        self.start, self.place = self.next, ""
        return self

    @property
    def values(self) -> set[bytes]:
        return {value for _, value in self.held}


@pytest.fixture
def cases(db: None) -> HashBank:
    return HashBankFactory()


@pytest.fixture
def partner(cases: HashBank) -> Platform:
    return PlatformFactory(alias="northwind", name="Northwind")


@pytest.fixture
def other(cases: HashBank) -> Platform:
    return PlatformFactory(alias="meadow", name="Meadow")


@pytest.fixture
def clock() -> Iterator[datetime]:
    """Moments one after the other, a minute apart, the last one not after now."""
    began = timezone.now().replace(microsecond=0) - timedelta(hours=12)
    return (began + timedelta(minutes=minute) for minute in range(700))


def line_of(partner: Platform) -> ListedHash:
    return ListedHash.objects.get(partner=partner)
