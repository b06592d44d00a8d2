"""The door to a case: number and PIN, tries counted before any work is done, the same answer for every misfit."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import F

from moderation.errors import Refusal
from moderation.storage.keys import derive
from victims import credentials
from victims.models import Attempt, Case, DailySalt, Limit

# Five tries, then pauses of 30 seconds to 15 minutes: never a lock, which an abuser could hold shut (T-04).
PER_NUMBER: Final = Limit(
    free=5,
    window=timedelta(days=1),
    pauses=tuple(timedelta(seconds=s) for s in (30, 60, 120, 240, 480, 900)),
)
PER_NETWORK: Final = Limit(free=30, window=timedelta(hours=1))
# Argon2 takes about 24 ms of one core: a flood must not take all of them (T-06).
PER_SITE: Final = Limit(free=40, window=timedelta(seconds=1))


class AtTheDoor(Refusal):
    """Why a case does not open."""


class DoesNotFit(AtTheDoor):
    """No such case, or another PIN: one answer for both, so that nobody learns which (T-05)."""


class TryLater(AtTheDoor):
    """Too many tries; ``minutes`` says how long the pause is, rounded up."""

    def __init__(self, until: datetime, now: datetime) -> None:
        self.seconds = max(1, int((until - now).total_seconds()) + 1)
        self.minutes = -(-self.seconds // 60)
        super().__init__(f"Wait {self.minutes} minutes before the next try.")


class TooManyFromNetwork(TryLater):
    """Too many tries from one network."""


class Busy(AtTheDoor):
    """More people at the door in this second than the machine can take."""


@dataclass(frozen=True)
class Entered:
    case: Case
    failed_tries: int


def enter(*, number: str, pin: str, network: str | None, now: datetime) -> Entered:
    """Open a case by its number and PIN.

    :raises TooManyFromNetwork, TryLater, Busy: before anything is compared.
    :raises DoesNotFit: if there is no such case or the PIN is another one.
    """
    index = number_index(credentials.read_number(number))
    if network:
        _admit("network", network, PER_NETWORK, now, TooManyFromNetwork)
    _pass_counters(index, now)
    case = _fitting(Case.objects.filter(number_index=index).first(), index, pin)
    tries = case.failed_tries
    case.open_up(now)
    Attempt.objects.filter(key=_key("number", index)).delete()
    return Entered(case, tries)


def check_pin(*, case: Case, pin: str, now: datetime) -> None:
    """Ask again for the PIN of a case that is open, before a deed that cannot be undone (T-07, T-08).

    :raises TryLater, Busy, DoesNotFit: as ``enter``.
    """
    _pass_counters(case.number_index, now)
    _fitting(case, case.number_index, pin)
    Attempt.objects.filter(key=_key("number", case.number_index)).delete()


def pass_site(now: datetime) -> None:
    """
    :raises Busy: if more people than the machine can take are at the door in this second.
    """
    blocked = Attempt.objects.admit(_key("site", ""), PER_SITE, now)
    if blocked:
        raise Busy("Many people are here at this moment. Try again in a moment.")


def number_index(number: str) -> str:
    return credentials.index(derive(settings.PIN_PEPPER, "case-number"), number)


def pin_pepper() -> bytes:
    return derive(settings.PIN_PEPPER, "pin")


def session_key() -> bytes:
    """For the one value that a session holds sealed: the number, until the page that shows it was left."""
    return derive(settings.PIN_PEPPER, "session")


def network_key(address: str, now: datetime) -> str | None:
    """A key of today for the visitor's network (/24 or /48); None where the address is not a visitor's.

    Behind a proxy that hides its visitors all of them would share one key, and the limit would shut everybody out.
    """
    try:
        visitor = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(visitor, ipaddress.IPv6Address) and visitor.ipv4_mapped:
        visitor = visitor.ipv4_mapped
    if not visitor.is_global:
        return None
    width = 24 if visitor.version == 4 else 48
    network = ipaddress.ip_network(f"{visitor}/{width}", strict=False)
    salt, _created = DailySalt.objects.get_or_create(day=now.date())
    return credentials.index(bytes(salt.salt), str(network))


def _pass_counters(index: str, now: datetime) -> None:
    _admit("number", index, PER_NUMBER, now, TryLater)
    pass_site(now)


def _admit(
    kind: str, value: str, limit: Limit, now: datetime, refusal: type[TryLater]
) -> None:
    blocked = Attempt.objects.admit(_key(kind, value), limit, now)
    if blocked:
        raise refusal(blocked, now)


def _fitting(case: Case | None, index: str, pin: str) -> Case:
    kept = case.pin_hash if case else None
    fits = credentials.verify(pin_pepper(), credentials.read_pin(pin), kept)
    if case is None or not fits:
        # The same statement whether or not there is a row to count on.
        rows = Case.objects.filter(number_index=index)
        rows.update(failed_tries=F("failed_tries") + 1)
        raise DoesNotFit("This number and PIN do not fit together.")
    return case


def _key(kind: str, value: str) -> str:
    return credentials.index(derive(settings.PIN_PEPPER, "tries"), f"{kind}:{value}")
