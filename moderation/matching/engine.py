"""What every matching engine does."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np

from moderation.matching.checksum import Ids, Words

HASH_BITS: Final = 256


class Found(NamedTuple):
    """Row `id` lies `distance` bits from the hash at position `query` of the question."""

    query: int
    id: int
    distance: int


class Rows(NamedTuple):
    """Rows as arrays: ids (n), and words (n x 4 for 256 bits), each the big-endian number of 8 bytes of the hash."""

    ids: Ids
    words: Words


class EngineUnavailable(Exception):  # noqa: N818
    """The engine could not answer, so nobody knows whether something matches: hold, never allow."""


class Engine(Protocol):
    """An exact index of hashes of one length: every row within the threshold is found, always."""

    def add(self, rows: Iterable[tuple[int, bytes]]) -> None:
        """Take in (id, hash); a row whose id is known replaces that row."""

    def withdraw(self, ids: Iterable[int]) -> None:
        """Forget these rows, before the next match; unknown ids are already forgotten."""

    def match(self, hashes: Sequence[bytes], threshold: int) -> list[Found]:
        """All rows with distance <= threshold, ordered by query, distance, id."""

    def __len__(self) -> int: ...

    @property
    def checksum(self) -> int:
        """The sum of `row_checksum` over all rows, modulo 2**64."""


class Base(Protocol):
    """Many rows that change seldom, on which a `LayeredEngine` stands."""

    @property
    def number(self) -> int:
        """The number of the last change of the bank that these rows contain."""

    @property
    def checksum(self) -> int: ...

    def __len__(self) -> int: ...

    def match(self, hashes: Sequence[bytes], threshold: int) -> list[Found]: ...

    def fetch(self, ids: Ids) -> Rows:
        """The rows held under these ids, in any order."""

    def rows(self) -> Iterator[Rows]:
        """All rows, in parts."""


def in_order(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda match: (match.query, match.distance, match.id))


def joined(parts: Iterable[Rows], width: int) -> Rows:
    """These rows, of so many words, as one."""
    parts = list(parts)
    ids = [part.ids for part in parts]
    words = [part.words for part in parts]
    return Rows(
        np.concatenate([np.empty(0, np.int64), *ids]),
        np.concatenate([np.empty((0, width), np.uint64), *words]),
    )


def words_of(hashes: Iterable[bytes], bits: int = HASH_BITS) -> Words:
    """Hashes as rows of numbers.

    :raises ValueError: if a hash has another length.
    """
    joined = b"".join(checked_hash(hash, bits) for hash in hashes)
    return np.frombuffer(joined, ">u8").reshape(-1, bits // 64).astype(np.uint64)


def bytes_of(words: Words) -> list[bytes]:
    """The hashes that `words_of` made into numbers."""
    size = 8 * words.shape[1]
    joined = words.astype(">u8").tobytes()
    return [joined[start : start + size] for start in range(0, len(joined), size)]


def checked_hash(value: bytes, bits: int = HASH_BITS) -> bytes:
    if len(value) * 8 != bits:
        raise ValueError(f"A hash to match has {bits // 8} bytes.")
    return bytes(value)


def checked_threshold(value: int, bits: int = HASH_BITS) -> int:
    if not 0 <= value <= bits:
        raise ValueError(f"A threshold is 0 to {bits} bits.")
    return value
