"""Give each face's database role exactly what config/roles.py says. Run it as the owner, after each migrate."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction

from config import roles
from config.database import database
from config.grants import Granter, RoleTooStrong


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--prefix", default="nwmc_", help="the roles are named <prefix><face>"
        )
        parser.add_argument(
            "--urls",
            type=Path,
            metavar="FOLDER",
            help="FOLDER/<face>/database_url names each face's role, which may then log in with the password there",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: on SQLite, for a role that could do more than it is given, or without the right to.
        """
        if connection.vendor != "postgresql":
            raise CommandError("Roles need PostgreSQL: SQLite knows none.")
        logins = _logins(options["urls"]) if options["urls"] else {}
        names = {face: f"{options['prefix']}{face}" for face in roles.MATRIX}
        names |= {face: user for face, (user, _) in logins.items()}
        passwords = dict(logins.values())
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                granter = Granter(cursor, names, self.stdout.write)
                granter.make_roles(passwords)
                granter.grant(roles.MATRIX, roles.ROWS)
        except RoleTooStrong as refusal:
            raise CommandError(str(refusal)) from None
        except ProgrammingError as error:
            said = str(error).splitlines()[0]
            raise CommandError(
                f"PostgreSQL refused: {said}. Run this after migrate, as the owner of the database, who must also be "
                "allowed to create roles (CREATEROLE), or let a superuser create them first."
            ) from error


def _logins(folder: Path) -> dict[str, tuple[str, str]]:
    """Role and password of each face, from the very files that the faces read.

    :raises CommandError: if one is missing or names neither.
    """
    found = {}
    for face in roles.MATRIX:
        path = folder / face / "database_url"
        try:
            entry = database(path.read_text(encoding="utf-8").strip())
        except OSError as error:
            raise CommandError(f"{path} cannot be read.") from error
        if not entry.get("USER") or not entry.get("PASSWORD"):
            raise CommandError(f"{path} must hold postgres://role:password@host/name.")
        found[face] = (entry["USER"], entry["PASSWORD"])
    if len({user for user, _ in found.values()}) < len(found):
        raise CommandError("Each face must have a role of its own.")
    return found
