"""The checksum by which the contents of an engine are compared with the rows kept elsewhere.

A row counts as SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT 2012) of its id, 8 bytes big-endian, followed by its
hash; a set of rows counts as the sum modulo 2**64. Under a secret key nobody can choose rows that hide the loss of
others, and a row's number can be stored where the row's hash may not be read.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

KEY_BYTES: Final = 16
NO_KEY: Final = bytes(KEY_BYTES)
MASK: Final = 2**64 - 1

Ids = NDArray[np.int64]
Words = NDArray[np.uint64]

_START: Final = (
    0x736F6D6570736575,
    0x646F72616E646F6D,
    0x6C7967656E657261,
    0x7465646279746573,
)
_BLOCK: Final = 16_384  # rows at a time, so that the state stays in the cache


def row_checksum(id: int, hash: bytes, key: bytes = NO_KEY) -> int:
    """What one row adds to the checksum."""
    return siphash((id & MASK).to_bytes(8) + hash, key)


def row_checksums(ids: Ids, words: Words, key: bytes = NO_KEY) -> Words:
    """`row_checksum` of many rows: ids (n), words (n x words of a hash), one row of words for each id."""
    checksums = np.empty(len(ids), np.uint64)
    for start in range(0, len(ids), _BLOCK):
        part = slice(start, start + _BLOCK)
        checksums[part] = _siphash_rows(ids[part], words[part], key)
    return checksums


def total_checksum(ids: Ids, words: Words, key: bytes = NO_KEY) -> int:
    """The sum of `row_checksum` over many rows, modulo 2**64."""
    return int(row_checksums(ids, words, key).sum(dtype=np.uint64))


def siphash(data: bytes, key: bytes) -> int:
    """SipHash-2-4 with an answer of 64 bits."""
    v = _state(key)
    whole = len(data) // 8 * 8
    blocks = [data[start : start + 8] for start in range(0, whole, 8)]
    blocks.append(data[whole:].ljust(7, b"\0") + bytes([len(data) & 0xFF]))
    for block in blocks:
        word = int.from_bytes(block, "little")
        v = _round(_round((v[0], v[1], v[2], v[3] ^ word)))
        v = (v[0] ^ word, v[1], v[2], v[3])
    v = (v[0], v[1], v[2] ^ 0xFF, v[3])
    for _ in range(4):
        v = _round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def checked_key(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError("The key of the checksum has 16 bytes.")
    return bytes(key)


def _state(key: bytes) -> tuple[int, int, int, int]:
    low, high = (int.from_bytes(part, "little") for part in (key[:8], key[8:]))
    return low ^ _START[0], high ^ _START[1], low ^ _START[2], high ^ _START[3]


def _round(v: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    v0, v1, v2, v3 = v
    v0 = v0 + v1 & MASK
    v1 = (v1 << 13 | v1 >> 51) & MASK ^ v0
    v0 = (v0 << 32 | v0 >> 32) & MASK
    v2 = v2 + v3 & MASK
    v3 = (v3 << 16 | v3 >> 48) & MASK ^ v2
    v0 = v0 + v3 & MASK
    v3 = (v3 << 21 | v3 >> 43) & MASK ^ v0
    v2 = v2 + v1 & MASK
    v1 = (v1 << 17 | v1 >> 47) & MASK ^ v2
    v2 = (v2 << 32 | v2 >> 32) & MASK
    return v0, v1, v2, v3


def _siphash_rows(ids: Ids, words: Words, key: bytes) -> Words:
    v0, v1, v2, v3 = (np.full(len(ids), part, np.uint64) for part in _state(key))
    # SipHash reads little-endian; ids and hashes are big-endian bytes.
    blocks = [ids.view(np.uint64).byteswap(), *words.T.byteswap()]
    blocks.append(np.full(len(ids), 8 * len(blocks) << 56 & MASK, np.uint64))
    for block in blocks:
        v3 ^= block
        _rounds(2, v0, v1, v2, v3)
        v0 ^= block
    v2 ^= np.uint64(0xFF)
    _rounds(4, v0, v1, v2, v3)
    mixed: Words = v0 ^ v1 ^ v2 ^ v3
    return mixed


def _rounds(count: int, v0: Words, v1: Words, v2: Words, v3: Words) -> None:
    spare = np.empty_like(v0)
    for _ in range(count):
        v0 += v1
        _rotate(v1, 13, spare)
        v1 ^= v0
        _rotate(v0, 32, spare)
        v2 += v3
        _rotate(v3, 16, spare)
        v3 ^= v2
        v0 += v3
        _rotate(v3, 21, spare)
        v3 ^= v0
        v2 += v1
        _rotate(v1, 17, spare)
        v1 ^= v2
        _rotate(v2, 32, spare)


def _rotate(values: Words, bits: int, spare: Words) -> None:
    np.right_shift(values, np.uint64(64 - bits), out=spare)
    np.left_shift(values, np.uint64(bits), out=values)
    np.bitwise_or(values, spare, out=values)
