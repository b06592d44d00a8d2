"""The banks in memory: exact, and never behind the database.

Before each use the process compares its number with the counter row (0.05 ms) and applies what it lacks. Count and
checksum prove that the copy is whole; if they differ it is built again, and if they still differ it is not used.

A large bank lies in bases that processes share, files or collections; each has on top of them what changed since.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, Self

import structlog
from django.conf import settings
from django.db import connection

from moderation.matching import Base, Exposed, Found, LayeredEngine
from moderation.matching.engine import EngineUnavailable
from moderation.models import BankCounter
from moderation.pipeline import collections, rows, snapshots
from moderation.pipeline.spaces import SPACES, checksum_key, ids_of

_log = structlog.get_logger(__name__)
_TRIES = 5
# Whoever waits longer for a copy that is being built gets the safe answer instead.
_PATIENCE = 2.0
_LOOK_SECONDS = 5.0


class Bases(Protocol):
    """Where large banks lie: files of this host (``snapshots``), or a server for all hosts (``collections``)."""

    @property
    def SPACES(self) -> tuple[str, ...]: ...  # noqa: N802 (a module's constant)

    def open_all(self) -> Mapping[str, Base]: ...
    def mend(self) -> None: ...
    def stamp(self) -> tuple[int, ...]: ...
    def is_due(self, space: str, engine: LayeredEngine) -> bool: ...
    def write(self, space: str, engine: LayeredEngine, number: int) -> None: ...
    def writing(self, *, wait: bool) -> AbstractContextManager[bool]: ...


def _bases() -> Bases:
    return collections if settings.MILVUS_URI else snapshots


class BankUntrusted(Exception):  # noqa: N818
    """The copy in memory cannot be proved equal to the bank: hold, never allow."""


class BankCopy:
    """All live hashes as of one number of the banks."""

    def __init__(self) -> None:
        self.number = 0
        self._numbers = dict.fromkeys(SPACES, 0)
        self.engines = {space: LayeredEngine(key=checksum_key()) for space in SPACES}

    @classmethod
    def on_bases(cls, counter: BankCounter) -> Self:
        """As far as the bases go, which may be nowhere."""
        copy = cls()
        for space, base in _bases().open_all().items():
            if base.number <= counter.number:  # else it is of a database that is gone
                copy.engines[space] = LayeredEngine(base, key=checksum_key())
                copy._numbers[space] = base.number
        return copy

    def equals(self, counter: BankCounter) -> bool:
        count = sum(len(engine) for engine in self.engines.values())
        total = sum(engine.checksum for engine in self.engines.values())
        same_sum = f"{total % 2**64:016x}" == counter.checksum
        return count == counter.live_count and same_sum

    def follow(self, counter: BankCounter) -> None:
        """Apply what happened between this copy's number and the counter's."""
        after, upto = min(self._numbers.values()), counter.number
        for batch in rows.added(after, upto):
            for space, seen in self._numbers.items():
                new = rows.opened([row for row in batch if row[0] > seen], space)
                if new:
                    self.engines[space].add(new)
        gone = rows.withdrawn(after, upto)
        if gone:
            for space in SPACES:
                self.engines[space].withdraw(ids_of(space, gone))
        self.number = counter.number
        self._numbers = dict.fromkeys(SPACES, counter.number)


class BankIndex:
    """One process's copy of all live hashes, of every bank."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._copy = BankCopy()
        self._stamp: tuple[int, ...] = ()
        self._looks_at = 0.0
        self._renewing = False
        self.pid = os.getpid()

    def match(
        self, hashes: Sequence[bytes], threshold: int, space: str = "pdq"
    ) -> list[Found]:
        """Every entry of a space within ``threshold`` bits (inclusive) of each query, as of this moment.

        :raises BankUntrusted: if the copy cannot be proved whole.
        """
        try:
            return self._current().engines[space].match(hashes, threshold)
        except EngineUnavailable as trouble:
            raise BankUntrusted(str(trouble)) from trouble

    def _current(self) -> BankCopy:
        if not self._lock.acquire(timeout=_PATIENCE):
            raise BankUntrusted("The bank in memory is being built again.")
        try:
            if not self._caught_up() and not self._rebuilt():
                raise BankUntrusted("The bank in memory does not equal the database.")
            self._look_at_snapshots()
            return self._copy
        finally:
            self._lock.release()

    def _caught_up(self) -> bool:
        for _ in range(_TRIES):
            counter = rows.counter()
            if counter.number < self._copy.number:
                return False  # a transaction we had read was rolled back
            far = counter.number - self._copy.number > snapshots.MIN_ROWS
            if far and counter.live_count > snapshots.MIN_ROWS:
                return False  # the way over the snapshots is shorter
            if counter.number > self._copy.number:
                self._copy.follow(counter)
            if self._copy.equals(counter):
                return True
            if rows.counter().number == counter.number:
                return False
        return False

    def _rebuilt(self) -> bool:
        if rows.counter().live_count <= snapshots.MIN_ROWS:
            return self._followed(_nothing)
        try:
            return self._rebuilt_with_others()
        except (Exposed, OSError) as trouble:
            _log.error("base_not_written", code=type(trouble).__name__)
            return self._followed(_nothing)

    def _rebuilt_with_others(self) -> bool:
        """One process reads a million rows, and the others wait for what it writes down."""
        with _bases().writing(wait=True):
            if not self._followed(BankCopy.on_bases):
                _bases().mend()
                starts = (BankCopy.on_bases, _nothing)
                if not any(self._followed(start) for start in starts):
                    return False
            if self._write_what_is_due():
                self._followed(BankCopy.on_bases)
        return True

    def _followed(self, start: Callable[[BankCounter], BankCopy]) -> bool:
        for _ in range(_TRIES):
            counter = rows.counter()
            copy = start(counter)
            copy.follow(counter)
            if copy.equals(counter):
                self._copy, self._stamp = copy, _bases().stamp()
                return True
            if rows.counter().number == counter.number:
                return False
        return False

    def _look_at_snapshots(self) -> None:
        """Now and then: go over to a newer snapshot, or write one, beside the work."""
        now = time.monotonic()
        if now < self._looks_at or self._renewing:
            return
        self._looks_at = now + _LOOK_SECONDS
        if self._is_due() or _bases().stamp() != self._stamp:
            self._renewing = True
            threading.Thread(target=self._renew, daemon=True).start()

    def _is_due(self) -> bool:
        engines = self._copy.engines
        return any(_bases().is_due(space, engines[space]) for space in _bases().SPACES)

    def _renew(self) -> None:
        try:
            self.renew()
        except (Exposed, EngineUnavailable, OSError) as trouble:
            _log.error("base_not_written", code=type(trouble).__name__)
        finally:
            self._renewing = False
            connection.close()

    def renew(self) -> None:
        """Write the snapshots that are due, unless another process does, and go over to the newest."""
        with _bases().writing(wait=False) as is_mine:
            if is_mine:
                self._write_what_is_due()
        counter = rows.counter()
        copy = BankCopy.on_bases(counter)
        copy.follow(counter)
        with self._lock:
            if copy.equals(counter):
                self._copy = copy
            self._stamp = _bases().stamp()

    def _write_what_is_due(self) -> bool:
        copy = self._copy
        number = (
            copy.number
        )  # first: more than it says may be in the file, and never less
        due = [
            space
            for space in _bases().SPACES
            if _bases().is_due(space, copy.engines[space])
        ]
        for space in due:
            _bases().write(space, copy.engines[space], number)
        return bool(due)


def _nothing(_: BankCounter) -> BankCopy:
    return BankCopy()


def bank_index() -> BankIndex:
    """This process's index; a forked child starts its own."""
    global _index
    if _index.pid != os.getpid():
        _index = BankIndex()
    return _index


_index = BankIndex()
