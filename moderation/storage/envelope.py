"""Envelope encryption over Django's storages: AES-256-GCM with a key for each file, itself wrapped (RFC 3394).

The wrapped key lives in the row; destroying it destroys the file wherever copies of the ciphertext are.
"""

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from moderation.storage import keys

_NONCE = 12


class EvidenceGone(Exception):  # noqa: N818
    """The file or its key is no longer there, or is not the one that was stored."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where a file's ciphertext is, and the wrapped key that opens it."""

    name: str
    wrapped_key: bytes
    key_version: int


def store_file(data: bytes) -> Sealed:
    """Encrypt and store; the plaintext never reaches the storage. The name says nothing about the file."""
    name = f"{secrets.token_hex(16)}.bin"
    key = AESGCM.generate_key(256)
    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + AESGCM(key).encrypt(nonce, data, _associated(name))
    kept = storages["evidence"].save(name, ContentFile(sealed))
    if kept != name:  # the name is part of what is authenticated
        storages["evidence"].delete(kept)
        raise EvidenceGone("The storage changed the name of the file.")
    return Sealed(name, aes_key_wrap(keys.evidence_key(), key), keys.VERSION)


def open_file(sealed: Sealed) -> bytes:
    """
    :raises EvidenceGone: if the file or its key was destroyed, or anything was swapped or changed.
    """
    try:
        with storages["evidence"].open(sealed.name) as file:
            raw = file.read()
        key = aes_key_unwrap(keys.evidence_key(), sealed.wrapped_key)
        return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], _associated(sealed.name))
    except (OSError, ValueError, InvalidTag, InvalidUnwrap) as error:
        raise EvidenceGone("This evidence can no longer be opened.") from error


def destroy(name: str) -> None:
    """Delete the ciphertext; the caller forgets the wrapped key in its row. Twice equals once."""
    storages["evidence"].delete(name)


def _associated(name: str) -> bytes:
    return f"evidence/{keys.VERSION}/{name}".encode()
