"""How a partner reads its list: in the order of the changes, a page at a time, from where it left off.

A reader tells its place by a second alone. What it is told must let it stop after any page and go on later; it must
hear of every withdrawal of what it may hold, and never be shown what was dead before it came (T-26): a client that does
not know withdrawals would take a dead fingerprint for a live one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from moderation.errors import Refusal
from moderation.models import ListClock, ListedHash, ListReading, Platform
from moderation.pipeline.listing import PURPOSE
from moderation.storage import open_value

# A client that says its local time and calls it UTC is off by a multiple of a quarter of an hour, 14 hours at most.
_ZONE_STEP, _ZONE_MOST, _ZONE_SLACK = 900, 14 * 3600, 5
# Clients of the NCMEC protocol leave out the last seconds, and ask for everything up to then.
_LAG = 5
# Whoever asks up to here asks for what is new.
_LIVE_EDGE = 60


class PlaceUnknown(Refusal):
    """The mark of a page is none that this house gave out."""

    code = "place_unknown"
    status = 400  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Line:
    """One line as its partner sees it. ``cases`` are random names, each with whether it still stands."""

    public_id: str
    signal_type: str
    value: bytes = field(repr=False)
    is_live: bool
    is_confirmed: bool
    second: int
    cases: dict[str, bool]


@dataclass(frozen=True, slots=True)
class Page:
    """``next_place`` is empty on the last page; ``next_second`` is where to go on from without it."""

    lines: list[Line]
    next_place: str
    next_second: int


@dataclass(frozen=True, slots=True)
class Range:
    """A page of what changed in a span of time; ``total`` counts the whole span."""

    lines: list[Line]
    next_place: str
    total: int


@dataclass(frozen=True, slots=True)
class _Place:
    """After this line of this second; in a walk that began at ``start``, when the list ended at ``horizon``."""

    second: int
    line: str = ""
    start: int = 0
    horizon: int = 0

    def __str__(self) -> str:
        return f"{self.second}.{self.line}.{self.start}.{self.horizon}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        :raises PlaceUnknown: if it is not one of ours.
        """
        second, dot, rest = text.partition(".")
        line, _, numbers = rest.partition(".")
        start, _, horizon = numbers.partition(".")
        digits = (second, start, horizon)
        if not dot or not all(one.isascii() and one.isdigit() for one in digits):
            raise PlaceUnknown("Take nextPageToken as the last answer gave it.")
        return cls(int(second), line, int(start), int(horizon))

    def may_know(self) -> Q:
        """What is live, and what a reader who is here may have been shown while it was.

        That is: what was on the list when it last read up to ``start``, or what lay before this place and died since
        the walk began.
        """
        live = Q(withdrawn_at__isnull=True)
        died_since = Q(changed_second__gt=self.horizon, listed_second__lte=self.second)
        return live | Q(listed_second__lte=self.start) | died_since


@transaction.atomic
def read_page(
    *, partner: Platform, start: int, place: str, size: int, now: datetime
) -> Page:
    """The next lines from ``start`` on, that second included, or from ``place`` if the reader has one.

    :raises PlaceUnknown: if ``place`` is none that was given out.
    """
    reading, _ = ListReading.objects.get_or_create(
        partner=partner, defaults={"read_at": now}
    )
    lines = ListedHash.objects.filter(partner=partner)
    # Before the lines are read: what dies in between counts as dying during this walk.
    horizon = lines.aggregate(last=Max("changed_second"))["last"] or 0
    if place:
        at = _Place.parse(place)
    else:
        at = _begun(reading, start, horizon)
        reading.read_second = max(reading.read_second, min(start, horizon + 1))
    page, more = _page(lines.filter(at.may_know()), at, size)
    here = ""
    # All that has a second up to the end was read, shown or not: so the odd one after it.
    second = max(start, horizon + 1, *[line.second + 1 for line in page[-1:]])
    if more:
        last = page[-1]
        second = max(start, last.second)
        here = str(_Place(last.second, last.public_id, at.start, at.horizon))
    reading.place = here
    reading.note(now)
    return Page(page, here, second)


def _begun(reading: ListReading, start: int, horizon: int) -> _Place:
    """A new walk, or the rest of one that the reader broke off: an even second is a page that was not the last."""
    if reading.place and start % 2 == 0:
        left = _Place.parse(reading.place)
        if left.start < start <= left.second:
            return _Place(start, "", left.start, left.horizon)
    return _Place(start, "", start, horizon)


@transaction.atomic
def read_range(
    *,
    partner: Platform,
    since: int,
    until: int,
    place: str,
    size: int,
    now: datetime,
) -> Range:
    """The lines that changed from ``since`` on and before ``until``, and some around that for clients in other zones.

    Nothing that is committed later will have a second in this span.

    :raises PlaceUnknown: if ``place`` is none that was given out.
    """
    reading, _ = ListReading.objects.get_or_create(
        partner=partner, defaults={"read_at": now}
    )
    today = int(now.timestamp())
    if not place:
        reading.zone_seconds = _zone(until, today, reading.zone_seconds)
    low = min(since, since - reading.zone_seconds)
    high = max(until, until - reading.zone_seconds)
    reading.note(now)
    ListClock.close(min(high, today))
    lines = ListedHash.objects.filter(partner=partner, changed_second__gte=low)
    if high < today - _LIVE_EDGE:
        lines = lines.filter(changed_second__lt=high)
    at = _Place.parse(place) if place else _Place(low)
    page, more = _page(lines, at, size)
    here = str(_Place(page[-1].second, page[-1].public_id)) if more else ""
    return Range(page, here, lines.count())


def _zone(until: int, today: int, known: int) -> int:
    """By how many seconds the client's clock is ahead of UTC, as far as its request shows.

    A client's first request goes up to its own present. If that is a whole number of quarter hours from ours, it is
    taken for its zone; if it is a chance, more is sent than was asked for, and nothing is lost.
    """
    ahead = until - (today - _LAG)
    zone = round(ahead / _ZONE_STEP) * _ZONE_STEP
    if abs(ahead - zone) <= _ZONE_SLACK and abs(zone) <= _ZONE_MOST:
        return zone
    # It asks for our future: whatever its clock is, it will not ask for that again.
    return max(known, min(ahead, _ZONE_MOST)) if ahead > _LAG else known


def _page(
    lines: QuerySet[ListedHash], at: _Place, size: int
) -> tuple[list[Line], bool]:
    """What comes after a place, and whether there is more than that.

    The rest of its second, then the later ones: each runs along the index, which one condition for both would not. A
    line that changes in between is in both, and the last one counts.
    """
    ordered = lines.order_by("changed_second", "public_id").prefetch_related("sources")
    here = ordered.filter(changed_second=at.second, public_id__gt=at.line)
    rows = list(here[: size + 1])
    if len(rows) <= size:
        later = ordered.filter(changed_second__gt=at.second)
        rows += later[: size + 1 - len(rows)]
    return [_line(row) for row in rows[:size]], len(rows) > size


def _line(row: ListedHash) -> Line:
    return Line(
        public_id=row.public_id,
        signal_type=row.signal_type,
        value=open_value(row.value_sealed, PURPOSE),
        is_live=row.withdrawn_at is None,
        is_confirmed=row.is_confirmed,
        second=row.changed_second,
        cases={
            source.public_id: source.withdrawn_second is None
            for source in row.sources.all()
        },
    )
