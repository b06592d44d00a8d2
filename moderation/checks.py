"""Refuse to start for real cases on anything less than the whole protection (threat model 3.4)."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from moderation.media import ALL_PROTECTIONS, isolation


@register(Tags.security)
def real_cases(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """security.E001 to E004; silent unless REAL_CASES=1."""
    if not settings.REAL_CASES:
        return []
    errors: list[CheckMessage] = []
    if settings.EMBEDDED or settings.DEBUG or settings.FACE == "all":
        errors.append(
            Error(
                "REAL_CASES=1 needs production settings, with one process for each face.",
                hint="Unset EMBEDDED and DEBUG, and set FACE to hub, appeals, staff, api or worker.",
                id="security.E001",
            )
        )
    if "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        errors.append(
            Error(
                "REAL_CASES=1 needs PostgreSQL: SQLite knows no roles.",
                hint="Set DATABASE_URL to a PostgreSQL database.",
                id="security.E002",
            )
        )
    # Only root may give a child another user; a worker that is not root has no root's rights to lose.
    missing = ALL_PROTECTIONS - isolation() - {"other_user"}
    if missing:
        errors.append(
            Error(
                f"The picture decoder would run without: {', '.join(sorted(missing))}.",
                hint="Run on a Linux kernel that allows it, and start the worker so that it may drop its rights.",
                id="security.E003",
            )
        )
    if settings.FACE in _COMPARES and not _is_in_memory(settings.BANK_SNAPSHOT_DIR):
        errors.append(
            Error(
                "The fingerprints in memory would be written to a disk.",
                hint="Set BANK_SNAPSHOT_DIR to a directory on a tmpfs that is this user's alone (mode 0700).",
                id="security.E004",
            )
        )
    return errors


_COMPARES = ("all", "api", "worker")


def _is_in_memory(directory: Path) -> bool:
    """Whether the file system that the directory is on, or will be made on, is a tmpfs (Linux)."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    place = str(there.resolve())
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return False
    mounts = [line.split(" ")[1:3] for line in lines]
    above = [
        (len(at), kind)
        for at, kind in mounts
        if place == at or place.startswith(at.rstrip("/") + "/")
    ]
    return max(above, default=(0, ""))[1] in {"tmpfs", "ramfs"}
