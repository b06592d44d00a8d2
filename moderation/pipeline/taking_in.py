"""Many fingerprints come into a bank, in batches, and nobody waits long for the lock that all changes take turns at.

A row of the table costs about 30 microseconds this way, half of what Django's ``bulk_create`` takes: a million must not
take an evening. What is sealed and indexed for the next batch is made while others have the lock.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice, repeat
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from django.db import connection, transaction

from moderation.hashing import near_guards
from moderation.models import AuditEntry, BankCounter, BankedHash, HashBank, User, token
from moderation.pipeline.accepting import RECIPES
from moderation.pipeline.spaces import SPACES, marks
from moderation.pipeline.withdrawing import locked_counter
from moderation.storage import blind_indexes, seal_values

MOST_AT_ONCE: Final = 8_000
LEAST_AT_ONCE: Final = 250
# A person's submission waits for one batch and, if it was just looking away, for no second one.
HOLD_SECONDS: Final = 0.2
# SQLite's waiters look again every tenth of a second at the latest; PostgreSQL's are woken.
GAP_SECONDS: Final = {"sqlite": 0.1, "postgresql": 0.01}


_T = TypeVar("_T")
# Where a fingerprint comes from, its type and its index: what makes it one row.
Key = tuple[str, str, str]


class Coming(NamedTuple):
    """A fingerprint that was checked (``check_hash``) and is to be banked as a claim."""

    signal_type: str
    value: bytes
    quality: int | None
    source_ref: str

    def __repr__(self) -> str:
        return f"<{self.signal_type} of {self.source_ref}>"  # no value in a report


class Draft(NamedTuple):
    """All of a row but what the lock decides."""

    key: Key
    value: bytes
    sealed: bytes
    quality: int | None
    parked_why: str

    def __repr__(self) -> str:
        return f"<draft of {self.key[0]}>"


class _Printed(Protocol):
    @property
    def signal_type(self) -> str: ...
    @property
    def value(self) -> bytes: ...


def parked(rows: Sequence[_Printed]) -> list[str]:
    """Why each is parked from the start: too near to a picture that nobody may ban (T-19); mostly not at all."""
    pictures = [row.value for row in rows if row.signal_type == "pdq"]
    near = iter(near_guards(pictures))
    return [
        BankedHash.Parked.GUARD if row.signal_type == "pdq" and next(near) else ""
        for row in rows
    ]


def drafted(rows: Iterable[Coming]) -> list[Draft]:
    """What costs time and needs no lock. In the order of their indexes, so that a batch writes each page once."""
    coming = list(rows)
    drafts = [
        Draft(
            (row.source_ref, row.signal_type, index),
            row.value,
            sealed,
            row.quality,
            why,
        )
        for row, index, sealed, why in zip(
            coming,
            blind_indexes((row.value, row.signal_type) for row in coming),
            seal_values([row.value for row in coming], "bank"),
            parked(coming),
            strict=True,
        )
    ]
    return sorted(drafts, key=lambda draft: draft.key[2])


@transaction.atomic
def take_in(
    bank: HashBank,
    drafts: Sequence[Draft],
    actor: User | str,
    now: datetime,
    **details: str | int,
) -> int:
    """Bank those that are not there yet; from the next request on they are matched. One audit entry for all.

    :returns: how many were new.
    """
    counter = locked_counter()
    fresh = {draft.key: draft for draft in drafts}
    for key in _known(drafts):
        fresh.pop(key, None)
    if not fresh:
        return 0
    _insert(bank, list(fresh.values()), counter, now)
    AuditEntry.record(
        actor=actor, verb="bank.batch_added", target=bank, count=len(fresh), **details
    )
    return len(fresh)


def _known(drafts: Sequence[Draft]) -> Iterable[Key]:
    sources, _, indexes = zip(*(draft.key for draft in drafts), strict=True)
    rows = BankedHash.objects.filter(
        value_index__in=indexes, source_ref__in=set(sources)
    )
    return rows.values_list("source_ref", "signal_type", "value_index")


def _insert(
    bank: HashBank, drafts: list[Draft], counter: BankCounter, now: datetime
) -> None:
    """Number the rows, write them, and keep count and checksum of what is live, under the counter's lock."""
    keys = zip(*(draft.key for draft in drafts), strict=True)
    sources, types, indexes = map(list, keys)  # a list is an array to PostgreSQL
    values = [draft.value for draft in drafts]
    numbers = list(_numbers(types, counter))
    asked = zip(types, (number or 0 for number in numbers), values, strict=True)
    found = marks(list(asked))
    columns: dict[str, Sequence[Any]] = {
        "public_id": _public_ids(len(drafts)),
        "signal_type": types,
        "value_sealed": [draft.sealed for draft in drafts],
        "value_index": indexes,
        "number": numbers,
        "mark": [f"{mark:016x}" for mark, _ in found],
        "entry_count": [count for _, count in found],
        "quality": [draft.quality for draft in drafts],
        "source_ref": sources,
        "parked_why": [draft.parked_why for draft in drafts],
        "recipe": [RECIPES[signal_type] for signal_type in types],
    }
    _write(BankedHash(bank=bank, added_at=now), columns)
    counter.live_count += sum(count for _, count in found)
    counter.keep(int(counter.checksum, 16) + sum(mark for mark, _ in found))


def _public_ids(count: int) -> list[str]:
    """Random names that begin alike, so that a batch writes one corner of their B-tree; 96 bits nobody can guess."""
    batch, size = token()[:8], 24
    random = secrets.token_hex(size // 2 * count)
    return [batch + random[at : at + size] for at in range(0, len(random), size)]


def _numbers(types: Iterable[str], counter: BankCounter) -> Iterator[int | None]:
    """A number for what lies in memory; digests of files are looked up by their index."""
    for signal_type in types:
        if signal_type in SPACES:
            counter.number += 1
            yield counter.number
        else:
            yield None


def _write(like: BankedHash, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows like this one, but for these columns."""
    fields = [each for each in BankedHash._meta.concrete_fields if not each.primary_key]
    same = {
        each.attname: each.get_db_prep_save(getattr(like, each.attname), connection)
        for each in fields
    }
    values = [columns.get(each.attname, same[each.attname]) for each in fields]
    quoted = connection.ops.quote_name
    names = ", ".join(quoted(str(each.column)) for each in fields)
    into = f"INSERT INTO {quoted(BankedHash._meta.db_table)} ({names})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # COPY would be no faster, and the rules for rows forbid it to a worker.
            picked = [
                f"unnest(%s::{each.db_type(connection)}[])"
                if each.attname in columns
                else "%s"
                for each in fields
            ]
            cursor.execute(f"{into} SELECT {', '.join(picked)}", values)
            return
        rows = zip(
            *(
                value if each.attname in columns else repeat(value)
                for each, value in zip(fields, values, strict=True)
            ),
            strict=False,
        )
        places = ", ".join(["%s"] * len(fields))
        cursor.executemany(f"{into} VALUES ({places})", list(rows))


class Turns:
    """Takes the lock again and again and lets everybody else have it between: no two batches without a pause.

    ``size`` is how many rows the next batch should have, so that it holds the lock for HOLD_SECONDS at most, whatever
    the disk.
    """

    def __init__(
        self,
        size: int = 1000,
        seconds: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.size = size
        self.longest = 0.0
        self._seconds, self._pause = seconds, pause
        self._gap = GAP_SECONDS[connection.vendor]
        self._let_go_at = -self._gap

    @contextmanager
    def turn(self, count: int) -> Iterator[None]:
        """Around the transaction of one batch of ``count`` rows."""
        left = self._let_go_at + self._gap - self._seconds()
        if left > 0:
            self._pause(left)
        began_at = self._seconds()
        yield
        self._let_go_at = self._seconds()
        self._adjust(count, self._let_go_at - began_at)

    def _adjust(self, count: int, held: float) -> None:
        """Twice as many next time, or half; what others waited for, or a cold disk, is in the time too."""
        self.longest = max(self.longest, held)
        each = held / count
        if 2 * each * self.size <= HOLD_SECONDS and 2 * self.size <= MOST_AT_ONCE:
            self.size *= 2
        while each * self.size > HOLD_SECONDS and self.size >= 2 * LEAST_AT_ONCE:
            self.size //= 2

    def batches(self, rows: Iterable[_T]) -> Iterator[list[_T]]:
        """These rows in batches of whatever size is right at that moment."""
        every = iter(rows)
        while batch := list(islice(every, self.size)):
            yield batch
