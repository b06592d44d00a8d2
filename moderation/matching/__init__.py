"""Hashes in, every banked hash within the threshold out: exact engines behind one protocol."""

from moderation.matching.engine import Engine, Found, row_checksum
from moderation.matching.numpy_engine import NumpyEngine

__all__ = ["Engine", "Found", "NumpyEngine", "row_checksum"]
