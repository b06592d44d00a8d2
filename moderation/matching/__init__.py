"""Hashes in, every banked hash within the threshold out: exact engines behind one protocol."""

from moderation.matching.checksum import row_checksum, row_checksums
from moderation.matching.engine import Engine, Found
from moderation.matching.numpy_engine import NumpyEngine

__all__ = ["Engine", "Found", "NumpyEngine", "row_checksum", "row_checksums"]
