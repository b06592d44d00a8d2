"""DATABASE_URL to Django's DATABASES entry."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# IMMEDIATE: with the deferred default, 1574 of 2000 concurrent claims failed with "database is locked" although a
# time-out was set; a write lock taken at the start of the transaction makes them wait instead.
_SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    # recursive_triggers: without it INSERT OR REPLACE would delete an audit entry past its trigger.
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA secure_delete=ON;"
    "PRAGMA recursive_triggers=ON;",
}


def database(url: str) -> dict[str, Any]:
    """
    :raises ImproperlyConfigured: for a scheme other than postgres(ql):// or sqlite:///.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = Path(unquote(parts.path.removeprefix("/")))
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": path,
            "OPTIONS": dict(_SQLITE_OPTIONS),
            # Opening the file and setting its pragmas anew cost more than all of a look-up's queries together.
            "CONN_MAX_AGE": 60,
            # A test database in a file: threads and processes must see the same one, as in production.
            "TEST": {"NAME": str(path.with_suffix(".test.sqlite3"))},
        }
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.removeprefix("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    raise ImproperlyConfigured(
        "DATABASE_URL must start with postgres:// (or sqlite:/// with EMBEDDED=1)."
    )
