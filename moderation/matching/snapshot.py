"""Many rows in one file that never changes, mapped into memory once for all processes of a host.

The file is a header, the shards with their multi-indexes, and a BLAKE2b under the key over all of that. It is written
beside its place and moved there whole; whoever has the old one open keeps it. It is as secret as the bank: mode 0600,
in a directory of mode 0700, which belongs on a memory file system or an encrypted disk.
"""

import hashlib
import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from moderation.matching import bands, shards
from moderation.matching.checksum import (
    MASK,
    Ids,
    Words,
    checked_key,
    total_checksum,
)
from moderation.matching.engine import (
    Found,
    Rows,
    checked_threshold,
    in_order,
    joined,
    words_of,
)
from moderation.matching.private_file import Exposed, mapped, replacing
from moderation.matching.scanning import Scratch
from moderation.matching.shards import Shard

MAGIC: Final = b"NWMCROWS"
VERSION: Final = 1
DIGEST_BYTES: Final = 32
ALIGNMENT: Final = 64  # of each array, a line of the cache
CHUNK: Final = 2**20

Shape = tuple[int, ...]


class SnapshotDamaged(Exception):  # noqa: N818
    """This is not, byte for byte, a snapshot written here under this key: write a new one."""


@dataclass(frozen=True)
class Header:
    width: int  # words of a hash
    id_bytes: int
    count: int
    id_base: int
    number: int
    checksum: int

    LAYOUT: ClassVar[struct.Struct] = struct.Struct(
        "=8sIIIQqQQ"
    )  # the file never leaves the machine
    SIZE: ClassVar[int] = 128

    def packed(self) -> bytes:
        packed: bytes = self.LAYOUT.pack(MAGIC, VERSION, *astuple(self))
        return packed.ljust(self.SIZE, b"\0")

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        if len(data) < cls.SIZE:
            raise SnapshotDamaged("The snapshot is cut short within its header.")
        magic, version, *values = cls.LAYOUT.unpack(data[: cls.LAYOUT.size])
        header = cls(*values)
        if (magic, version) != (MAGIC, VERSION) or header.id_bytes not in (4, 8):
            raise SnapshotDamaged("The file is no snapshot, or one of another version.")
        return header

    @property
    def id_type(self) -> np.dtype[Any]:
        return np.dtype(np.uint32) if self.id_bytes == 4 else np.dtype(np.int64)

    def shard_sizes(self) -> list[int]:
        starts = range(0, self.count, bands.MAX_ROWS)
        return [min(bands.MAX_ROWS, self.count - start) for start in starts]

    def arrays(self, size: int) -> list[tuple[np.dtype[Any], Shape]]:
        """Of a shard with so many rows: words, ids, and the three of the index if it has one."""
        of_rows: list[tuple[np.dtype[Any], Shape]] = [
            (np.dtype(np.uint64), (size, self.width)),
            (self.id_type, (size,)),
        ]
        of_index = bands.shapes(size, self.width) if size >= shards.MIN_INDEXED else []
        return [*of_rows, *of_index]

    def rows_size(self) -> int:
        return self.count * (8 * self.width + self.id_bytes)

    def file_size(self) -> int:
        arrays = (
            _padded(dtype.itemsize * prod(shape))
            for size in self.shard_sizes()
            for dtype, shape in self.arrays(size)
        )
        return Header.SIZE + sum(arrays) + DIGEST_BYTES


class Snapshot:
    """A `Base` in a file; any number of threads and processes may use it at once."""

    def __init__(self, header: Header, shards: tuple[Shard, ...]) -> None:
        self._header = header
        self._shards = shards
        self._scratch = Scratch()

    @classmethod
    def open(cls, path: Path, key: bytes) -> Self:
        """Map a snapshot and prove it whole: half a second for a million rows.

        :raises SnapshotDamaged: saying what is wrong.
        :raises FileNotFoundError: if there is none.
        """
        data = _mapped(path)
        header = Header.unpacked(data[: Header.SIZE])
        # The first test keeps a damaged count from being added up for hours.
        if header.rows_size() > len(data) or header.file_size() != len(data):
            raise SnapshotDamaged("The snapshot is not as long as its header says.")
        if _digest(data, key) != data[-DIGEST_BYTES:]:
            raise SnapshotDamaged("The snapshot differs from its seal, or has another.")
        snapshot = cls(header, tuple(_shards(data, header)))
        if snapshot._recount(key) != header.checksum:
            raise SnapshotDamaged("The rows of the snapshot miss their checksum.")
        return snapshot

    @property
    def number(self) -> int:
        return self._header.number

    @property
    def checksum(self) -> int:
        return self._header.checksum

    def __len__(self) -> int:
        return self._header.count

    def match(self, hashes: Sequence[bytes], threshold: int) -> list[Found]:
        bits = 64 * self._header.width
        checked_threshold(threshold, bits)
        queries = words_of(hashes, bits)
        return in_order(
            found
            for shard in self._shards
            for found in shard.match(queries, threshold, self._scratch)
        )

    def fetch(self, ids: Ids) -> Rows:
        return joined([shard.fetch(ids) for shard in self._shards], self._header.width)

    def rows(self) -> Iterator[Rows]:
        for shard in self._shards:
            yield Rows(shard.real_ids(slice(None)), shard.words)

    def _recount(self, key: bytes) -> int:
        return sum(total_checksum(*rows, key) for rows in self.rows()) & MASK


def write_snapshot(
    path: Path, ids: Ids, words: Words, *, number: int, key: bytes
) -> None:
    """Put these rows in the place of the snapshot at `path`: about a second for a million of 256 bits.

    Ids are distinct; words are n x 4 (or n x 1 for hashes of 64 bits), as `engine.words_of` makes them.

    :raises Exposed: if the directory is not this user's alone.
    """
    if len(np.unique(ids)) != len(ids):
        raise ValueError("Each row of a snapshot has an id of its own.")
    header = _header(ids, words, number, key)
    digest = _hasher(key)
    with replacing(path) as file:
        for piece in _pieces(header, ids, words):
            digest.update(piece)
            file.write(piece)
        file.write(digest.digest())


def _header(ids: Ids, words: Words, number: int, key: bytes) -> Header:
    low, high = (int(ids.min()), int(ids.max())) if len(ids) else (0, 0)
    fits = high - low < 2**32
    return Header(
        width=words.shape[1],
        id_bytes=4 if fits else 8,
        count=len(ids),
        id_base=low if fits else 0,
        number=number,
        checksum=total_checksum(ids, words, key),
    )


def _pieces(header: Header, ids: Ids, words: Words) -> Iterator[bytes | memoryview]:
    """The file, but for its digest; one shard in memory at a time."""
    yield header.packed()
    for start in range(0, header.count, bands.MAX_ROWS):
        part = slice(start, start + bands.MAX_ROWS)
        order = bands.band_order(words[part])
        sorted_words = np.ascontiguousarray(words[part][order])
        offsets = (ids[part][order] - header.id_base).astype(header.id_type)
        arrays: list[NDArray[Any]] = [sorted_words, offsets]
        if len(order) >= shards.MIN_INDEXED:
            arrays += bands.build(sorted_words)
        for array in arrays:
            yield array.data.cast("B")
            yield bytes(_padded(array.nbytes) - array.nbytes)


def _shards(data: mmap.mmap, header: Header) -> Iterator[Shard]:
    place = Header.SIZE
    for size in header.shard_sizes():
        arrays = []
        for dtype, shape in header.arrays(size):
            count = prod(shape)
            array = np.frombuffer(data, dtype, count, place).reshape(shape)
            arrays.append(array)
            place += _padded(array.nbytes)
        words, ids, *index = arrays
        yield Shard(
            words, ids, header.id_base, bands.BandIndex(*index) if index else None
        )


def _mapped(path: Path) -> mmap.mmap:
    try:
        return mapped(path)
    except FileNotFoundError:
        raise
    except (Exposed, OSError) as problem:
        raise SnapshotDamaged(f"The snapshot cannot be used: {problem}") from problem


def _digest(data: mmap.mmap, key: bytes) -> bytes:
    digest = _hasher(key)
    with memoryview(data) as view:
        for start in range(0, len(data) - DIGEST_BYTES, CHUNK):
            digest.update(view[start : min(start + CHUNK, len(data) - DIGEST_BYTES)])
    return digest.digest()


def _hasher(key: bytes) -> "hashlib.blake2b":
    return hashlib.blake2b(key=checked_key(key), digest_size=DIGEST_BYTES, person=MAGIC)


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
