"""Typed, loud readers of the environment: a missing or unsafe value stops the start-up with a sentence."""

import base64
import binascii
import os
import secrets
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
# Long enough that chance does not write one into random base64 ("xxx" once did); repetition is refused below.
_PLACEHOLDERS = ("change", "example", "insecure", "secret", "password")


def _raw(name: str) -> str | None:
    """The value of NAME, or the content of the file that NAME_FILE points to."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE points to {path}, which cannot be read."
            ) from error
    return os.environ.get(name)


def text(name: str, default: str | None = None) -> str:
    """
    :raises ImproperlyConfigured: if the variable is missing and has no default.
    """
    value = _raw(name)
    if value is None or (value == "" and default is None):
        if default is None:
            raise ImproperlyConfigured(
                f"Set {name} (or {name}_FILE). See .env.example for what it means, "
                "or set EMBEDDED=1 to try the project on one machine."
            )
        return default
    return value


def boolean(name: str, default: bool = False) -> bool:
    value = (_raw(name) or ("1" if default else "0")).strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")


def integer(name: str, default: int) -> int:
    value = _raw(name)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error


def listing(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    value = _raw(name)
    return [
        part.strip()
        for part in (default if value is None else value).split(",")
        if part.strip()
    ]


def secret(name: str, *, keep_in: Path | None = None) -> bytes:
    """32 secret bytes, written as base64.

    Where ``keep_in`` is given (the embedded default), a missing secret is made once and kept there, mode 0600.

    :raises ImproperlyConfigured: if it is missing, not base64, shorter than 32 bytes, or looks like a placeholder.
    """
    value = _raw(name)
    if not value and keep_in is not None:
        value = _kept(name, keep_in)
    value = value or text(name)
    if any(word in value.lower()[:16] for word in _PLACEHOLDERS):
        raise ImproperlyConfigured(f"{name} looks like a placeholder. Make a new one.")
    try:
        key = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImproperlyConfigured(
            f"{name} must be base64. Make one with: openssl rand -base64 32"
        ) from error
    if len(key) < 32 or len(set(key)) < 8:
        raise ImproperlyConfigured(
            f"{name} must hold at least 32 random bytes. Make one with: openssl rand -base64 32"
        )
    return key


def _kept(name: str, folder: Path) -> str:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name.lower()
    if not path.exists():
        fresh = base64.b64encode(secrets.token_bytes(32)).decode()
        draft = folder / f".{secrets.token_hex(8)}"
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(fresh)
        # Of several processes that start at once, one link succeeds, and nobody reads a half-written key.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="utf-8").strip()
