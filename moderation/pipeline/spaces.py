"""How banked fingerprints lie in memory: three spaces of hashes that are compared bit by bit.

``pdq``: whole pictures and their content boxes. ``vpdq``: one entry for each frame of a video. ``phash``: its 64 bits
and zeros. Digests of files lie in none: they are looked up by their blind index.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np

from moderation.matching import row_checksums
from moderation.storage import bank_key

SPACES: Final = ("pdq", "vpdq", "phash")
HASH_BYTES: Final = 32
_FRAMES: Final = 1024  # room for the frames of one video between two numbers

Entry = tuple[int, bytes]


def entries(signal_type: str, number: int | None, value: bytes) -> Sequence[Entry]:
    """(id, hash) of each entry that a banked hash has in memory; none for a digest."""
    if number is None or signal_type not in SPACES:
        return ()
    if signal_type == "vpdq":
        starts = range(0, len(value), HASH_BYTES)
        frames = [value[start : start + HASH_BYTES] for start in starts]
        return [(number * _FRAMES + place, hash) for place, hash in enumerate(frames)]
    return [(number, padded(value))]


def padded(value: bytes) -> bytes:
    """A shorter hash among longer ones: the zeros differ in nothing."""
    return value.ljust(HASH_BYTES, b"\0")


def place_of(signal_type: str, id: int) -> tuple[int, int]:
    """The number of the banked hash that an entry belongs to, and which of its frames it is."""
    return divmod(id, _FRAMES) if signal_type == "vpdq" else (id, 0)


def ids_of(signal_type: str, gone: Sequence[tuple[int, int]]) -> list[int]:
    """The ids that banked hashes (number, how many entries) may have in a space."""
    if signal_type != "vpdq":
        return [number for number, _ in gone]
    return [
        number * _FRAMES + place for number, count in gone for place in range(count)
    ]


def checksum_key() -> bytes:
    """Keyed, so that a checksum says nothing about a value to whoever reads the tables."""
    return bank_key("checksum")[:16]


def marks(rows: Sequence[tuple[str, int, bytes]]) -> list[tuple[int, int]]:
    """For each (signal type, number, value): what it adds to the checksum of the banks, and how many entries it has."""
    lists = [entries(*row) for row in rows]
    together = [entry for each in lists for entry in each]
    if not together:
        return [(0, 0)] * len(rows)
    ids = np.array([id for id, _ in together], np.int64)
    words = np.frombuffer(b"".join(hash for _, hash in together), ">u8")
    sums = row_checksums(
        ids, words.reshape(-1, HASH_BYTES // 8).astype(np.uint64), checksum_key()
    )
    every = iter(sums.tolist())
    return [(sum(islice(every, len(each))) % 2**64, len(each)) for each in lists]
