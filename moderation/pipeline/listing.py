"""Which lines stand on the list of each partner, and why: a person opts in, for each source and each partner (T-25).

A line is never changed by steps. Whatever happens to a fingerprint or to a leave, the lines that it could touch are
compared with what the banks and the leaves say now; so no order of events can leave a list wrong.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from moderation.models import (
    BankedHash,
    HashBank,
    ListClock,
    ListedHash,
    ListedSource,
    ListReading,
    Share,
)
from moderation.storage import open_value, seal_value

# The signal types that the protocols of the lists have a name for.
LISTED_TYPES = ("pdq", "md5")
PURPOSE = "exchange"
# A client of the StopNCII protocol that has not asked for 30 days throws away what it holds.
_KEPT = timedelta(days=30)

# What a line holds: the sources behind it, each with whether a reviewer confirmed its fingerprint.
_Sources = dict[str, bool]


class LineKey(NamedTuple):
    partner_id: int
    signal_type: str
    value_index: str


class _Name(NamedTuple):
    """A fingerprint, whether or not its row is still there."""

    source_ref: str
    signal_type: str
    value_index: str


def on_changed(rows: Collection[BankedHash], now: datetime) -> None:
    """These were banked, confirmed or not, parked or demoted, in this transaction, which holds the record's lock.

    One query if none of them is shared. A row that has its value in memory is not read anew.
    """
    keys = _keys(rows)
    if keys:
        relist(keys, now, rows=rows)


def on_withdrawn(rows: Collection[BankedHash], now: datetime) -> None:
    """These leave the banks in this transaction; it does not matter whether they have been deleted already."""
    keys = _keys(rows)
    if not keys:
        return
    relist(keys, now, gone={_name(row) for row in rows})
    # The leave was for these pictures, and not for what the same source might bring one day.
    left = BankedHash.objects.filter(source_ref__in={row.source_ref for row in rows})
    kept = {_name(row) for row in left.only(*_Name._fields)} - {_name(r) for r in rows}
    emptied = {row.source_ref for row in rows} - {name.source_ref for name in kept}
    Share.objects.filter(source_ref__in=emptied).delete()


def _name(row: BankedHash) -> _Name:
    return _Name(row.source_ref, row.signal_type, row.value_index)


def _keys(rows: Collection[BankedHash]) -> set[LineKey]:
    """The lines that these rows could be behind."""
    rows = [row for row in rows if row.signal_type in LISTED_TYPES]
    partners = defaultdict(set)
    for source_ref, partner_id in _leaves({row.source_ref for row in rows}):
        partners[source_ref].add(partner_id)
    return {
        LineKey(partner_id, row.signal_type, row.value_index)
        for row in rows
        for partner_id in partners[row.source_ref]
    }


def _leaves(source_refs: Collection[str]) -> set[tuple[str, int]]:
    if not source_refs:
        return set()
    shares = Share.objects.filter(source_ref__in=source_refs)
    return set(shares.values_list("source_ref", "partner_id"))


def relist(
    keys: set[LineKey],
    now: datetime,
    *,
    rows: Iterable[BankedHash] = (),
    gone: Collection[_Name] = (),
) -> None:
    """Make these lines say what is true now. ``rows`` may hold values that need not be read anew."""
    second = ListClock.tick(now)
    wanted = _wanted(keys, gone)
    known = _lines(keys)
    missing = {key: wanted[key] for key in wanted if key not in known}
    _add(missing, _values(missing, rows), second)
    for key, line in known.items():
        if not line.is_canary:
            _correct(line, wanted.get(key, {}), second, now)


def _wanted(keys: set[LineKey], gone: Collection[_Name]) -> dict[LineKey, _Sources]:
    """What the banks and the leaves say: live, neither parked nor demoted, and shared."""
    rows = BankedHash.objects.live().filter(
        _any_value(keys),
        bank__kind=HashBank.Kind.CASES,
        parked_why="",
        demoted_at__isnull=True,
    )
    rows = rows.only(*_Name._fields, "standing")
    found = [row for row in rows if _name(row) not in gone]
    wanted: dict[LineKey, _Sources] = defaultdict(dict)
    leaves = defaultdict(set)
    for source_ref, partner_id in _leaves({row.source_ref for row in found}):
        leaves[source_ref].add(partner_id)
    for row in found:
        confirmed = row.standing == BankedHash.Standing.CONFIRMED
        for partner_id in leaves[row.source_ref]:
            key = LineKey(partner_id, row.signal_type, row.value_index)
            wanted[key][row.source_ref] = confirmed
    return {key: wanted[key] for key in keys if key in wanted}


def _lines(keys: set[LineKey]) -> dict[LineKey, ListedHash]:
    partners = {key.partner_id for key in keys}
    rows = ListedHash.objects.filter(_any_value(keys), partner__in=partners)
    rows = rows.defer("value_sealed").prefetch_related("sources")
    lines = {
        LineKey(row.partner_id, row.signal_type, row.value_index): row for row in rows
    }
    return {key: line for key, line in lines.items() if key in keys}


def _any_value(keys: Iterable[LineKey]) -> Q:
    keys = set(keys)
    types = {key.signal_type for key in keys}
    return Q(signal_type__in=types, value_index__in={key.value_index for key in keys})


def _values(
    keys: Iterable[LineKey], rows: Iterable[BankedHash]
) -> dict[tuple[str, str], bytes]:
    """The values themselves: of rows that have theirs in memory, otherwise as the bank has them."""
    needed = {(key.signal_type, key.value_index) for key in keys}
    sealed = {
        (row.signal_type, row.value_index): row.value_sealed
        for row in rows
        if "value_sealed" not in row.get_deferred_fields()
    }
    unread = {index for _, index in needed - sealed.keys()}
    if unread:
        stored = BankedHash.objects.filter(value_index__in=unread)
        for row in stored.only("signal_type", "value_index", "value_sealed"):
            sealed[row.signal_type, row.value_index] = row.value_sealed
    return {one: open_value(sealed[one], "bank") for one in needed}


def _add(
    wanted: Mapping[LineKey, _Sources],
    values: Mapping[tuple[str, str], bytes],
    second: int,
) -> None:
    lines = ListedHash.objects.bulk_create(
        ListedHash(
            **key._asdict(),
            value_sealed=seal_value(values[key.signal_type, key.value_index], PURPOSE),
            is_confirmed=any(sources.values()),
            listed_second=second,
            changed_second=second,
        )
        for key, sources in wanted.items()
    )
    ListedSource.objects.bulk_create(
        ListedSource(listed=line, source_ref=source_ref)
        for line, sources in zip(lines, wanted.values(), strict=True)
        for source_ref in sources
    )


def _correct(line: ListedHash, wanted: _Sources, second: int, now: datetime) -> None:
    """Bring one line and its sources in order; an unchanged line keeps its second."""
    known = {source.source_ref: source for source in line.sources.all()}
    active = {ref for ref, source in known.items() if source.withdrawn_second is None}
    is_live = line.withdrawn_at is None
    same = is_live == bool(wanted) and line.is_confirmed == any(wanted.values())
    if same and active == wanted.keys():
        return
    for source_ref in active - wanted.keys():
        known[source_ref].withdraw(second)
    for source_ref in wanted.keys() - active:
        if source_ref in known:
            known[source_ref].withdraw(None)
        else:
            ListedSource.objects.create(listed=line, source_ref=source_ref)
    if wanted:
        line.stand(is_confirmed=any(wanted.values()), second=second)
    else:
        line.withdraw(second=second, at=now)


@transaction.atomic
def purge_listed(*, now: datetime) -> int:
    """Delete the withdrawn lines and sources that their partners have read of, and those that are past their time.

    :returns: how many there were.
    """
    ListClock.lock()
    lines = ListedHash.objects.filter(withdrawn_at__isnull=False)
    read = Q(changed_second__lt=read_by("partner"))
    past = Q(withdrawn_at__lte=now - _KEPT)
    _, by_model = lines.filter(read | past).only("pk").delete()
    # The same of a line that stands because of somebody else.
    sources = ListedSource.objects.filter(withdrawn_second__isnull=False)
    read = Q(withdrawn_second__lt=read_by("listed__partner"))
    past = Q(withdrawn_second__lte=int((now - _KEPT).timestamp()))
    count, _ = sources.filter(read | past).delete()
    return count + by_model.get(ListedHash._meta.label, 0)


def read_by(partner: str) -> Coalesce:
    """The second before which the partner has read everything; ``partner`` is the path to it from the outer row."""
    readings = ListReading.objects.filter(partner=OuterRef(partner))
    return Coalesce(Subquery(readings.values("read_second")), 0)
