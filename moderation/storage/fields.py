"""Short values sealed in a column (AES-256-GCM), and blind indexes (HMAC-SHA-256) to look them up.

The associated data names the table and purpose, so that a value cannot be moved elsewhere. A unique index stands on
the blind index, never on the value: a database error would print the value (threat model 3.3).
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from moderation.storage import keys

_NONCE = 12


def seal_value(value: bytes, purpose: str) -> bytes:
    """Seal a fingerprint under the bank key."""
    return _seal(keys.bank_key(purpose), value, purpose)


def seal_values(values: Sequence[bytes], purpose: str) -> list[bytes]:
    """``seal_value`` of many, in half the time."""
    cipher = AESGCM(keys.bank_key(purpose))
    associated = purpose.encode()
    random = secrets.token_bytes(_NONCE * len(values))
    nonces = (random[at : at + _NONCE] for at in range(0, len(random), _NONCE))
    return [
        nonce + cipher.encrypt(nonce, value, associated)
        for nonce, value in zip(nonces, values, strict=True)
    ]


def open_value(sealed: bytes | memoryview, purpose: str) -> bytes:
    """
    :raises cryptography.exceptions.InvalidTag: if the value was changed or sealed for another purpose.
    """
    return _open(keys.bank_key(purpose), bytes(sealed), purpose)


def seal_text(text: str, purpose: str) -> bytes:
    """Seal words of a person or to a person under the evidence key."""
    return _seal(keys.text_key(purpose), text.encode(), purpose)


def open_text(sealed: bytes | memoryview, purpose: str) -> str:
    """
    :raises cryptography.exceptions.InvalidTag: if the text was changed or sealed for another purpose.
    """
    return _open(keys.text_key(purpose), bytes(sealed), purpose).decode()


def blind_index(value: bytes, purpose: str) -> str:
    """64 hex characters that are equal for equal values and say nothing without the key."""
    key = keys.bank_key(f"index/{purpose}")
    return hmac.new(key, value, hashlib.sha256).hexdigest()


def blind_indexes(values: Iterable[tuple[bytes, str]]) -> list[str]:
    """``blind_index`` of many (value, purpose), in a third of the time."""
    begun: dict[str, hmac.HMAC] = {}
    indexes = []
    for value, purpose in values:
        if purpose not in begun:
            key = keys.bank_key(f"index/{purpose}")
            begun[purpose] = hmac.new(key, digestmod=hashlib.sha256)
        code = begun[purpose].copy()
        code.update(value)
        indexes.append(code.hexdigest())
    return indexes


def _seal(key: bytes, value: bytes, purpose: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, value, purpose.encode())


def _open(key: bytes, sealed: bytes, purpose: str) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode())
