"""The banks in memory: exact, and never behind the database.

Before each use the process compares its number with the counter row (0.05 ms) and applies what it lacks. Count and
checksum prove that the copy is whole; if they differ it is built again, and if they still differ it is not used.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from itertools import islice

from moderation.matching import Found, NumpyEngine
from moderation.models import BankCounter, BankedHash, BankWithdrawal
from moderation.pipeline.spaces import SPACES, checksum_key, entries, ids_of
from moderation.storage import open_value

_ROWS = 2000
_TRIES = 5

Row = tuple[int, str, bytes]


class BankUntrusted(Exception):  # noqa: N818
    """The copy in memory cannot be proved equal to the bank: hold, never allow."""


class BankCopy:
    """All live hashes as of one number of the banks."""

    def __init__(self) -> None:
        self.number = 0
        self.engines = {space: NumpyEngine(key=checksum_key()) for space in SPACES}

    def equals(self, counter: BankCounter) -> bool:
        count = sum(len(engine) for engine in self.engines.values())
        total = sum(engine.checksum for engine in self.engines.values())
        same_sum = f"{total % 2**64:016x}" == counter.checksum
        return count == counter.live_count and same_sum

    def follow(self, counter: BankCounter) -> None:
        """Apply what happened between this copy's number and the counter's."""
        span = {"number__gt": self.number, "number__lte": counter.number}
        for batch in _batches(span):
            for space in SPACES:
                rows = [row for row in batch if row[1] == space]
                if rows:
                    self.engines[space].add(_opened(rows))
        gone = BankWithdrawal.objects.filter(**span)
        numbers = list(gone.values_list("hash_number", flat=True))
        if numbers:
            for space in SPACES:
                self.engines[space].withdraw(ids_of(space, numbers))
        self.number = counter.number


class BankIndex:
    """One process's copy of all live hashes, of every bank."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._copy = BankCopy()
        self.pid = os.getpid()

    def match(
        self, hashes: Sequence[bytes], threshold: int, space: str = "pdq"
    ) -> list[Found]:
        """Every entry of a space within ``threshold`` bits (inclusive) of each query, as of this moment.

        :raises BankUntrusted: if the copy cannot be proved whole.
        """
        return self._current().engines[space].match(hashes, threshold)

    def _current(self) -> BankCopy:
        with self._lock:
            if not self._caught_up() and not self._rebuilt():
                raise BankUntrusted("The bank in memory does not equal the database.")
            return self._copy

    def _caught_up(self) -> bool:
        for _ in range(_TRIES):
            counter = _counter()
            if counter.number < self._copy.number:
                return False  # a transaction we had read was rolled back
            if counter.number > self._copy.number:
                self._copy.follow(counter)
            if self._copy.equals(counter):
                return True
            if _counter().number == counter.number:
                return False
        return False

    def _rebuilt(self) -> bool:
        for _ in range(_TRIES):
            counter, copy = _counter(), BankCopy()
            copy.follow(counter)
            if copy.equals(counter):
                self._copy = copy
                return True
            if _counter().number == counter.number:
                return False
        return False


def bank_index() -> BankIndex:
    """This process's index; a forked child starts its own."""
    global _index
    if _index.pid != os.getpid():
        _index = BankIndex()
    return _index


_index = BankIndex()


def _counter() -> BankCounter:
    return BankCounter.objects.filter(pk=1).first() or BankCounter(pk=1)


def _batches(span: dict[str, int]) -> Iterator[list[Row]]:
    rows = BankedHash.objects.live().filter(**span).order_by("number")
    values = rows.values_list("number", "signal_type", "value_sealed")
    left = values.iterator(chunk_size=_ROWS)
    while batch := list(islice(left, _ROWS)):
        yield batch  # type: ignore[misc]


def _opened(rows: list[Row]) -> list[tuple[int, bytes]]:
    return [
        entry
        for number, signal_type, sealed in rows
        for entry in entries(signal_type, number, open_value(sealed, "bank"))
    ]
