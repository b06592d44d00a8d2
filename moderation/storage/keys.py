"""The keys, one for each purpose, derived from the installation's secrets by HKDF-SHA-256 (RFC 5869)."""

from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

VERSION = 1


@lru_cache(maxsize=32)
def derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose; two purposes never share a key."""
    info = f"nwmc/{VERSION}/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)


def evidence_key() -> bytes:
    return derive(settings.EVIDENCE_KEY, "evidence")


def text_key(purpose: str) -> bytes:
    return derive(settings.EVIDENCE_KEY, f"text/{purpose}")


def bank_key(purpose: str) -> bytes:
    return derive(settings.BANK_KEY, purpose)
