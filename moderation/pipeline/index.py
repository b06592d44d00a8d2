"""The banks in memory: exact, and never behind the database.

Before each use the process compares its number with the counter row (0.05 ms) and applies the changes it lacks. Count
and checksum prove that the copy is whole; if they differ it is rebuilt, and if they still differ it is not used.
"""

import os
import threading

from django.db.models import QuerySet

from moderation.matching import Found, NumpyEngine
from moderation.models import BankChange, BankCounter, BankedHash
from moderation.storage import open_value

_ROWS = 2000


class BankUntrusted(Exception):  # noqa: N818
    """The copy in memory cannot be proved equal to the bank: hold, never allow."""


class BankIndex:
    """One process's copy of all live PDQ hashes, of every bank."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine = NumpyEngine()
        self._number = 0
        self.pid = os.getpid()

    def match(self, hashes: list[bytes], threshold: int) -> list[Found]:
        """Every banked hash within ``threshold`` bits (inclusive) of each query, as of this moment.

        :raises BankUntrusted: if the copy cannot be proved whole.
        """
        return self._current().match(hashes, threshold)

    def _current(self) -> NumpyEngine:
        with self._lock:
            if not self._caught_up() and not self._rebuilt():
                raise BankUntrusted("The bank in memory does not equal the database.")
            return self._engine

    def _caught_up(self) -> bool:
        for _ in range(5):
            counter = _counter()
            if counter.number < self._number:
                return False  # a transaction we had read was rolled back
            if counter.number > self._number:
                self._apply_changes()
                continue  # the counter may have moved while the rows were read
            return self._equals(counter)
        return False

    def _apply_changes(self) -> None:
        changes = list(
            BankChange.objects.filter(number__gt=self._number).order_by("number")
        )
        kinds = {change.hash_id: change.kind for change in changes}
        gone = [pk for pk, kind in kinds.items() if kind == BankChange.Kind.WITHDRAW]
        new = [pk for pk, kind in kinds.items() if kind == BankChange.Kind.ADD]
        self._engine.withdraw(gone)
        for start in range(0, len(new), _ROWS):
            rows = _live().filter(pk__in=new[start : start + _ROWS])
            self._engine.add(_opened(rows))
        if changes:
            self._number = changes[-1].number

    def _rebuilt(self) -> bool:
        for _ in range(5):
            counter = _counter()
            engine = NumpyEngine()
            engine.add(_opened(_live().order_by("pk")))
            if _counter().number == counter.number:
                self._engine, self._number = engine, counter.number
                return self._equals(counter)
        return False

    def _equals(self, counter: BankCounter) -> bool:
        return (
            len(self._engine) == counter.live_count
            and f"{self._engine.checksum:016x}" == counter.checksum
        )


def bank_index() -> BankIndex:
    """This process's index; a forked child starts its own."""
    global _index
    if _index.pid != os.getpid():
        _index = BankIndex()
    return _index


_index = BankIndex()


def _counter() -> BankCounter:
    return BankCounter.objects.filter(pk=1).first() or BankCounter(pk=1)


def _live() -> QuerySet[BankedHash]:
    return BankedHash.objects.live().filter(signal_type="pdq")


def _opened(rows: QuerySet[BankedHash]) -> list[tuple[int, bytes]]:
    values = rows.values_list("pk", "value_sealed").iterator(chunk_size=_ROWS)
    return [(pk, open_value(sealed, "bank")) for pk, sealed in values]
