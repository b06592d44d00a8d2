"""What every matching engine does, and the checksum by which its contents are verified."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

HASH_BYTES: Final = 32
HASH_BITS: Final = 256
MASK: Final = 2**64 - 1
GOLDEN: Final = 0x9E3779B97F4A7C15
FIRST_FACTOR: Final = 0xBF58476D1CE4E5B9
SECOND_FACTOR: Final = 0x94D049BB133111EB


class Found(NamedTuple):
    """Row `id` lies `distance` bits from the hash at position `query` of the question."""

    query: int
    id: int
    distance: int


class Engine(Protocol):
    """An exact index of 256-bit hashes: every row within the threshold is found, always."""

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


def row_checksum(id: int, hash: bytes) -> int:
    """What one row adds to the checksum; whoever keeps the rows elsewhere keeps the same sum.

    It finds rows lost or doubled by accident; it is no defence against someone who chooses rows.
    """
    mixed = mix(id & MASK)
    for start in range(0, HASH_BYTES, 8):
        mixed = mix(mixed ^ int.from_bytes(hash[start : start + 8]))
    return mixed


def mix(value: int) -> int:
    """The SplitMix64 step: each bit of the answer depends on each bit of the value."""
    value = value + GOLDEN & MASK
    value = (value ^ value >> 30) * FIRST_FACTOR & MASK
    value = (value ^ value >> 27) * SECOND_FACTOR & MASK
    return value ^ value >> 31


def checked_hash(value: bytes) -> bytes:
    if len(value) != HASH_BYTES:
        raise ValueError("A hash to match has 32 bytes.")
    return bytes(value)


def checked_threshold(value: int) -> int:
    if not 0 <= value <= HASH_BITS:
        raise ValueError("A threshold is 0 to 256 bits.")
    return value
