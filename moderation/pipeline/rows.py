"""What happened to the banks between two of their numbers, as it is read to bring a copy up to date."""

from collections.abc import Iterator
from itertools import islice

from django.db import connection

from moderation.models import BankCounter, BankedHash, BankWithdrawal
from moderation.pipeline.spaces import Entry, entries
from moderation.storage import open_value

_ROWS = 2000
_FIELDS = ["id", "number", "live_count", "checksum"]
_COUNTER = f"SELECT {', '.join(_FIELDS)} FROM moderation_bankcounter WHERE id = 1"  # noqa: S608 (our own names)

Row = tuple[int, str, bytes]


def counter() -> BankCounter:
    """The number of the banks, and what is live at it, as committed by now.

    Every look-up begins here. A statement of our own: composing the query anew cost an eighth of a whole look-up.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNTER)
        row = cursor.fetchone()
    if row is None:
        return BankCounter(pk=1)
    return BankCounter.from_db(connection.alias, _FIELDS, row)


def added(after: int, upto: int) -> Iterator[list[Row]]:
    """(number, signal type, sealed value) in batches, in the order of their numbers."""
    rows = BankedHash.objects.live().filter(number__gt=after, number__lte=upto)
    values = rows.order_by("number").values_list(
        "number", "signal_type", "value_sealed"
    )
    left = values.iterator(chunk_size=_ROWS)
    while batch := list(islice(left, _ROWS)):
        yield batch  # type: ignore[misc]


def opened(rows: list[Row], space: str) -> list[Entry]:
    """The entries that those of this space have in memory."""
    return [
        entry
        for number, signal_type, sealed in rows
        if signal_type == space
        for entry in entries(signal_type, number, open_value(sealed, "bank"))
    ]


def withdrawn(after: int, upto: int) -> list[tuple[int, int]]:
    """The number of each banked hash that left, and how many entries it had."""
    gone = BankWithdrawal.objects.filter(number__gt=after, number__lte=upto)
    return list(gone.values_list("hash_number", "entry_count"))
