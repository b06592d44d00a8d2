"""The grant matrix as statements for PostgreSQL, in the caller's transaction: no face is ever without its rights."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from config.roles import SESSION_OWNER, VERBS, Matrix, Rights, RowRule

# Two runs at once would wait for each other's rows of the catalogue and fail.
_LOCK = 0x6E776D63
_TOO_STRONG = """
    SELECT rolname FROM pg_roles role
    WHERE rolname = ANY(%s) AND (
        rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolname = current_user
        OR EXISTS (SELECT FROM pg_auth_members WHERE member = role.oid)
        OR EXISTS (SELECT FROM pg_class WHERE relowner = role.oid))
    ORDER BY rolname"""


class RoleTooStrong(Exception):  # noqa: N818
    """A role has powers that no grant can narrow."""


class Granter:
    """``names`` maps faces to roles; ``say`` gets a line for each thing that was done."""

    def __init__(
        self, cursor: CursorWrapper, names: Mapping[str, str], say: Callable[[str], Any]
    ) -> None:
        self._cursor = cursor
        self._names = names
        self._say = say
        self._run("SELECT pg_advisory_xact_lock({})", sql.Literal(_LOCK))

    def make_roles(self, passwords: Mapping[str, str]) -> None:
        """Create what is missing; a role with a password may log in, the others only through roles of their own.

        :raises RoleTooStrong: if one is a superuser, an owner, or a member of another role.
        """
        names = list(self._names.values())
        known = {row[0] for row in self._rows("SELECT rolname FROM pg_roles")}
        for name in names:
            if name not in known:
                self._run("CREATE ROLE {} NOLOGIN", sql.Identifier(name))
                self._say(f"{name}: created")
        for name, password in passwords.items():
            # Never the password itself: whatever logs this statement would keep it.
            verifier = connection.connection.pgconn.encrypt_password(
                password.encode(), name.encode(), b"scram-sha-256"
            ).decode()
            self._run(
                "ALTER ROLE {} LOGIN PASSWORD {}",
                sql.Identifier(name),
                sql.Literal(verifier),
            )
            self._say(f"{name}: may log in")
        strong = [row[0] for row in self._rows(_TOO_STRONG, names)]
        if strong:
            raise RoleTooStrong(
                f"{', '.join(strong)}: a superuser, an owner or a member of another role can do more than it is "
                "granted. Use roles made for the faces alone."
            )

    def grant(self, matrix: Matrix, rows: Mapping[str, Mapping[str, RowRule]]) -> None:
        self._close_to_everybody()
        columns = self._columns()
        if SESSION_OWNER not in columns.get("django_session", []):
            self._add_session_owner()
        for face, tables in matrix.items():
            role = sql.Identifier(self._names[face])
            self._run("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}", role)
            self._run("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}", role)
            self._run("GRANT CONNECT ON DATABASE {} TO {}", self._database, role)
            self._run("GRANT USAGE ON SCHEMA public TO {}", role)
            for table, rights in sorted(tables.items()):
                self._grant_table(face, table, rights, columns.get(table, []))
        for table, rules in rows.items():
            self._narrow(table, rules)

    def _close_to_everybody(self) -> None:
        public = sql.SQL("PUBLIC")
        self._run("REVOKE ALL ON DATABASE {} FROM {}", self._database, public)
        self._run("REVOKE ALL ON SCHEMA public FROM {}", public)
        for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
            all_of = f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM {{}}"
            self._run(all_of, public)
        self._say("everybody: nothing")

    def _add_session_owner(self) -> None:
        """Django's table does not say whose session a row is; the database notes it, and Django need not know."""
        self._run(
            "ALTER TABLE django_session ADD COLUMN {} name NOT NULL DEFAULT current_user",
            sql.Identifier(SESSION_OWNER),
        )

    def _columns(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        query = """SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' ORDER BY ordinal_position"""
        for table, column in self._rows(query):
            found.setdefault(table, []).append(column)
        return found

    def _grant_table(
        self, face: str, table: str, rights: Rights, known: list[str]
    ) -> None:
        said = []
        for letter in rights.verbs:
            verb, narrow = VERBS[letter], rights.columns(letter, known)
            listed: sql.Composable = sql.SQL("")
            if narrow is not None:
                names = sql.SQL(", ").join(map(sql.Identifier, narrow))
                listed = sql.SQL(" ({})").format(names)
            self._run(
                f"GRANT {verb}{{}} ON {{}} TO {{}}",
                listed,
                sql.Identifier(table),
                sql.Identifier(self._names[face]),
            )
            said.append(verb if narrow is None else f"{verb} ({', '.join(narrow)})")
        self._say(f"{self._names[face]}: {table}: {', '.join(said)}")

    def _narrow(self, table: str, rules: Mapping[str, RowRule]) -> None:
        name = sql.Identifier(table)
        secured = self._rows(
            "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", table
        )
        if not secured[0][0]:
            self._run("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", name)
        for face, rule in rules.items():
            role = self._names[face]
            for command in ("ALL", "SELECT", "INSERT", "UPDATE", "DELETE"):
                old = sql.Identifier(_policy(role, command))
                self._run("DROP POLICY IF EXISTS {} ON {}", old, name)
            for command, condition in rule.policies.items():
                self._run(
                    f"CREATE POLICY {{}} ON {{}} FOR {command} TO {{}} {condition}",
                    sql.Identifier(_policy(role, command)),
                    name,
                    sql.Identifier(role),
                )
            self._say(f"{role}: {table}: only rows where {rule.using}")

    @property
    def _database(self) -> sql.Identifier:
        return sql.Identifier(str(connection.settings_dict["NAME"]))

    def _run(self, statement: str, *parts: sql.Composable) -> None:
        self._cursor.execute(sql.SQL(statement).format(*parts))

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        self._cursor.execute(query, values or None)
        return list(self._cursor.fetchall())


def _policy(role: str, command: str) -> str:
    return (
        f"rows_of_{role}" if command == "ALL" else f"rows_of_{role}_{command}".lower()
    )
