"""Hashes in, every banked hash within the threshold out: exact engines behind one protocol."""

from moderation.matching.checksum import row_checksum, row_checksums
from moderation.matching.engine import (
    Base,
    Engine,
    EngineUnavailable,
    Found,
    Rows,
    bytes_of,
    words_of,
)
from moderation.matching.layered import LayeredEngine
from moderation.matching.numpy_engine import NumpyEngine
from moderation.matching.private_file import Exposed
from moderation.matching.snapshot import Snapshot, SnapshotDamaged, write_snapshot

__all__ = [
    "Base",
    "Engine",
    "EngineUnavailable",
    "Exposed",
    "Found",
    "LayeredEngine",
    "NumpyEngine",
    "Rows",
    "Snapshot",
    "SnapshotDamaged",
    "bytes_of",
    "row_checksum",
    "row_checksums",
    "words_of",
    "write_snapshot",
]
