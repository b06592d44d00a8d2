"""Which platforms are connected, read from PLATFORMS_FILE, and how storage is reached."""

import json
from pathlib import Path
from typing import Any

from botocore.config import Config
from django.core.exceptions import ImproperlyConfigured

_SANDBOX = "moderation.platforms.sandbox.Sandbox"


def configured(file: str, *, sandbox: Path | None) -> dict[str, dict[str, Any]]:
    """``{alias: {"ADAPTER": dotted path, "OPTIONS": {...}}}``; the two stand-ins only where ``sandbox`` is given.

    :raises ImproperlyConfigured: if the file cannot be read or an entry has no adapter.
    """
    found: dict[str, dict[str, Any]] = {}
    if sandbox is not None:
        for alias in ("facebook", "instagram"):
            options = {"alias": alias, "folder": str(sandbox)}
            found[alias] = {"ADAPTER": _SANDBOX, "OPTIONS": options}
    if file:
        try:
            found |= json.loads(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ImproperlyConfigured(
                f"PLATFORMS_FILE {file} must be a readable JSON object."
            ) from error
    for alias, entry in found.items():
        if "ADAPTER" not in entry:
            raise ImproperlyConfigured(f"Platform {alias} has no ADAPTER.")
    return found


def s3_config() -> Config:
    return Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        signature_version="s3v4",
    )
