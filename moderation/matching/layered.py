"""What changed, on top of what seldom changes: the engine that a process keeps level with the database."""

import threading
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from moderation.matching.checksum import (
    MASK,
    NO_KEY,
    Ids,
    checked_key,
    total_checksum,
)
from moderation.matching.engine import (
    HASH_BITS,
    Base,
    Found,
    Rows,
    checked_hash,
    in_order,
    joined,
    words_of,
)
from moderation.matching.numpy_engine import NumpyEngine, same_rows


class LayeredEngine:
    """An `Engine`: the rows of a base but for those withdrawn, and a delta in this process's memory.

    The base is never written. Its owner watches `delta_size` and `withdrawn_count`, writes what `export` gives into a
    new base, and starts a new engine on that. Any number of threads may use one engine at once.
    """

    def __init__(
        self, base: Base | None = None, key: bytes = NO_KEY, bits: int = HASH_BITS
    ) -> None:
        self._base: Final = base
        self._key = checked_key(key)
        self._bits = bits
        self._delta = NumpyEngine(key, bits)
        self._withdrawn: set[int] = set()  # ids of the base
        self._base_count = len(base) if base is not None else 0
        self._base_checksum = base.checksum if base is not None else 0
        self._writing = threading.Lock()

    def __len__(self) -> int:
        return self._base_count + len(self._delta)

    @property
    def checksum(self) -> int:
        return self._base_checksum + self._delta.checksum & MASK

    @property
    def delta_size(self) -> int:
        return len(self._delta)

    @property
    def withdrawn_count(self) -> int:
        return len(self._withdrawn)

    def add(self, rows: Iterable[tuple[int, bytes]]) -> None:
        latest = {id: checked_hash(hash, self._bits) for id, hash in rows}
        ids = np.fromiter(latest, np.int64, len(latest))
        self.add_rows(Rows(ids, words_of(latest.values(), self._bits)))

    def add_rows(self, rows: Rows) -> None:
        """`add` of many rows at once, each under an id of its own."""
        with self._writing:
            held = self._held(rows.ids)
            is_new = ~same_rows(rows, held)
            new = Rows(rows.ids[is_new], rows.words[is_new])
            self._delta.add_rows(new)
            # Only now: a changed row may be found twice for a moment, never not at all.
            is_changed = np.isin(held.ids, new.ids)
            self._forget(Rows(held.ids[is_changed], held.words[is_changed]))

    def withdraw(self, ids: Iterable[int]) -> None:
        unwanted = np.fromiter(ids, np.int64)
        with self._writing:
            self._forget(self._held(unwanted))
            self._delta.withdraw(unwanted.tolist())

    def match(self, hashes: Sequence[bytes], threshold: int) -> list[Found]:
        # Base first: whoever changes a row writes its new hash to the delta before withdrawing the old one.
        in_base = self._base.match(hashes, threshold) if self._base is not None else []
        in_base = [found for found in in_base if found.id not in self._withdrawn]
        in_delta = self._delta.match(hashes, threshold)
        if not in_base or not in_delta:
            return in_base or in_delta
        newer = {(found.query, found.id) for found in in_delta}
        older = (found for found in in_base if (found.query, found.id) not in newer)
        return in_order([*older, *in_delta])

    def export(self) -> Rows:
        """All live rows at one moment: what the next base is written from."""
        with self._writing:
            base_parts = self._base.rows() if self._base is not None else ()
            kept = [self._without_withdrawn(part) for part in base_parts]
            return joined([*kept, self._delta.export()], self._bits // 64)

    def _without_withdrawn(self, rows: Rows) -> Rows:
        withdrawn = np.fromiter(self._withdrawn, np.int64, len(self._withdrawn))
        is_live = ~np.isin(rows.ids, withdrawn)
        return Rows(rows.ids[is_live], rows.words[is_live])

    def _held(self, ids: Ids) -> Rows:
        """The rows of the base under these ids, but for those withdrawn."""
        if self._base is None:
            return joined([], self._bits // 64)
        return self._without_withdrawn(self._base.fetch(ids))

    def _forget(self, rows: Rows) -> None:
        """Withdraw these rows of the base."""
        self._withdrawn.update(rows.ids.tolist())
        self._base_count -= rows.ids.size
        removed = total_checksum(*rows, self._key)
        self._base_checksum = self._base_checksum - removed & MASK
