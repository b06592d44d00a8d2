"""Database roles of its own for a test run: granted as an installation grants them, and gone with it."""

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.core.management import call_command
from django.db import connection

from config.roles import MATRIX


@contextmanager
def granted(folder: Path) -> Iterator[dict[str, str]]:
    """The DATABASE_URL of each face for Django's test database."""
    urls = {face: _url(face) for face in MATRIX}
    for face, url in urls.items():
        (folder / face).mkdir()
        (folder / face / "database_url").write_text(url)
    call_command("grant_roles", urls=folder, stdout=io.StringIO())
    try:
        yield urls
    finally:
        with connection.cursor() as cursor:
            for name in map(role_of, urls.values()):
                cursor.execute(f"DROP OWNED BY {name}")
                cursor.execute(f"DROP ROLE {name}")


def _url(face: str) -> str:
    # Roles belong to the whole server, and several test processes share it.
    role, password = f"nwmc_{face}_{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    at = connection.settings_dict
    address = f"{at['HOST']}:{at['PORT']}/{quote(at['NAME'])}"
    return f"postgres://{role}:{password}@{address}"


def role_of(url: str) -> str:
    return url.removeprefix("postgres://").split(":")[0]


@contextmanager
def acting(role: str) -> Iterator[None]:
    """What runs inside has the rights of this role and no others.

    Past Django's cursors, so that nobody counts it as a query. If the transaction breaks, the role ends with it.
    """
    connection.ensure_connection()
    connection.connection.execute(f"SET ROLE {role}")
    try:
        yield
    finally:
        raw = connection.connection
        if raw and not raw.closed and raw.info.transaction_status.name != "INERROR":
            raw.execute("RESET ROLE")
