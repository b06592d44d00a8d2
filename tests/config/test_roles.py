"""The grant matrix: what it says, and that PostgreSQL holds each role to it (T-49)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import errors, sql

from config.roles import MATRIX, ROWS, SESSION_OWNER, VERBS, Rights
from tests.services.roles import role_of

COLUMNS = {
    model._meta.db_table: {field.column for field in model._meta.concrete_fields}
    for model in apps.get_models(include_auto_created=True)
}
NOTHING = Rights("")
# Nobody's but the owner's: pages of ours that would use them do not exist, or an operator's command does.
UNUSED = {"account_emailconfirmation", "reviews_revocation", "reviews_reversal"}
READERS = {
    ("victims_case", "number_index"): {"hub"},
    ("victims_case", "pin_hash"): {"hub"},
    ("victims_dailysalt", "salt"): {"hub"},
    ("victims_submittedhash", "source_ref"): {"hub", "worker"},
    ("moderation_bankedhash", "value_sealed"): {"api", "worker"},
    ("moderation_feed", "credentials_sealed"): {"worker"},
    ("moderation_fingerprint", "value_sealed"): {"staff", "worker"},
    ("moderation_evidence", "wrapped_key"): {"staff", "worker"},
    ("moderation_notice", "text_sealed"): {"worker"},
    ("moderation_apikey", "secret_sha256"): {"api"},
    ("moderation_auditentry", "text"): {"staff"},
    ("moderation_user", "password"): {"staff"},
    ("mfa_authenticator", "data"): {"staff"},
    ("reviews_decision", "private_notes"): {"staff"},
    ("reviews_appealgrant", "token_sha256"): {"appeals", "staff"},
    ("appeals_appeal", "words_sealed"): {"staff"},
    ("moderation_flag", "priority_parts"): {"staff", "worker"},
    ("moderation_match", "distance"): {"staff", "worker"},
}
VICTIMS = {table for table in COLUMNS if table.startswith("victims_")}


def rights(face: str, table: str) -> Rights:
    return MATRIX[face].get(table, NOTHING)


class TestTheMatrix:
    def test_names_tables_and_columns_that_exist(self):
        for face, tables in MATRIX.items():
            assert set(tables) <= set(COLUMNS), face
            for table, right in tables.items():
                known = COLUMNS[table] | {SESSION_OWNER}
                assert right.named <= known, (face, table)
                assert set(right.verbs) <= set(VERBS), (face, table)

    def test_leaves_no_table_out_by_mistake(self):
        given = {table for tables in MATRIX.values() for table in tables}

        assert set(COLUMNS) - given == UNUSED

    @pytest.mark.parametrize(("table", "column"), sorted(READERS))
    def test_shows_a_secret_to_whom_it_must_and_to_nobody_else(self, table, column):
        readers = {face for face in MATRIX if rights(face, table).allows("S", column)}

        assert readers == READERS[table, column]

    @pytest.mark.parametrize("face", sorted(MATRIX))
    def test_lets_nobody_change_the_record(self, face):
        assert set(rights(face, "moderation_auditentry").verbs) == {"S", "I"}

    @pytest.mark.parametrize("face", ["appeals", "api", "staff"])
    def test_keeps_the_people_behind_the_cases_from_everybody_else(self, face):
        assert VICTIMS.isdisjoint(MATRIX[face])

    def test_lets_nobody_rewrite_a_decision_or_what_an_appellant_wrote(self):
        written_once = {
            "reviews_decision": ("facts", "reasoning", "reviewer_id", "removes"),
            "appeals_appeal": ("words_sealed", "ground", "first_reviewer_id"),
            "moderation_notice": ("text_sealed",),
        }
        for face in MATRIX:
            for table, columns in written_once.items():
                changed = [c for c in columns if rights(face, table).allows("U", c)]
                assert changed == [], (face, table)

    def test_rules_about_rows_name_every_face_that_uses_the_table(self):
        for table, rules in ROWS.items():
            assert set(rules) == {face for face in MATRIX if table in MATRIX[face]}


def test_sqlite_is_told_that_it_knows_no_roles(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "manage.py", "grant_roles"],
        env={"PATH": os.environ["PATH"], "EMBEDDED": "1", "VAR_DIR": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 1
    assert "Roles need PostgreSQL: SQLite knows none." in done.stderr


@pytest.fixture
def role(request, role_urls) -> Iterator[psycopg.Connection]:
    """Signed in as the role of a face."""
    with psycopg.connect(role_urls[request.param]) as session:
        yield session


every_face = pytest.mark.parametrize(
    ("face", "role"), [(face, face) for face in sorted(MATRIX)], indirect=["role"]
)
TABLE_VERBS = ("DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
COLUMN_VERBS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE"}


@pytest.mark.postgres
@every_face
class TestPostgreSQL:
    def test_has_given_each_role_what_the_matrix_says_to_the_column(self, face, role):
        query = """
            SELECT relname, attname, verb FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid, unnest(%s::text[]) verb
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
            AND has_column_privilege(attrelid, attnum, verb)"""

        found = set(role.execute(query, [list(COLUMN_VERBS.values())]).fetchall())

        assert found == {
            (table, column, verb)
            for table, columns in COLUMNS.items()
            for column in (columns | self._extra(table))
            for letter, verb in COLUMN_VERBS.items()
            if rights(face, table).allows(letter, column)
        }

    def test_has_given_no_role_another_right_to_a_table(self, face, role):
        query = """
            SELECT relname, verb FROM pg_class, unnest(%s::text[]) verb
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND has_table_privilege(oid, verb)"""

        found = set(role.execute(query, [list(TABLE_VERBS)]).fetchall())

        deletes = {table for table in COLUMNS if "D" in rights(face, table).verbs}
        assert found == {(table, "DELETE") for table in deletes}

    def test_lets_each_role_do_so_and_refuses_the_rest(self, face, role):
        for table, columns in COLUMNS.items():
            right, column = rights(face, table), min(columns)
            name, of = sql.Identifier(table), sql.Identifier(column)
            deeds = {
                "SELECT {of} FROM {name} LIMIT 0": right.allows("S", column),
                "UPDATE {name} SET {of} = NULL WHERE false": right.allows("U", column),
                "DELETE FROM {name} WHERE false": "D" in right.verbs,
                "INSERT INTO {name} SELECT WHERE false": "I" in right.verbs,
                "TRUNCATE {name}": False,
                "ALTER TABLE {name} ADD COLUMN planted int": False,
            }
            for deed, is_allowed in deeds.items():
                statement = sql.SQL(deed).format(of=of, name=name)
                assert may(role, statement) == is_allowed, (table, deed)

    @pytest.mark.parametrize(
        "deed",
        [
            "CREATE TABLE planted ()",
            "CREATE TEMPORARY TABLE planted ()",
            "CREATE SCHEMA planted",
            "SELECT nextval(pg_get_serial_sequence('moderation_content', 'id'))",
            "ALTER TABLE moderation_auditentry DISABLE TRIGGER ALL",
            "ALTER TABLE django_session DISABLE ROW LEVEL SECURITY",
            "SELECT pg_read_file('/etc/passwd')",
            "CREATE ROLE planted",
        ],
    )
    def test_refuses_every_role_to_build_or_break(self, face, role, deed):
        assert not may(role, sql.SQL(deed))

    def _extra(self, table: str) -> set[str]:
        return {SESSION_OWNER} if table == "django_session" else set()


def may(role: psycopg.Connection, statement: sql.Composable) -> bool:
    try:
        role.execute(statement)
    except errors.InsufficientPrivilege:
        return False
    else:
        return True
    finally:
        role.rollback()


@pytest.mark.postgres
class TestGrantRoles:
    def test_takes_back_what_was_given_besides(self, db, role_urls, tmp_path):
        name = role_of(role_urls["api"])
        held = f"SELECT has_table_privilege('{name}', 'victims_case', 'SELECT')"
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT SELECT ON victims_case TO {name}")
            cursor.execute(held)
            assert cursor.fetchone() == (True,)

            call_command("grant_roles", urls=written(tmp_path, role_urls))

            cursor.execute(held)
            assert cursor.fetchone() == (False,)

    def test_says_what_it_gives(self, db, role_urls, tmp_path, capsys):
        call_command("grant_roles", urls=written(tmp_path, role_urls))

        said = capsys.readouterr().out
        assert (
            f"{role_of(role_urls['api'])}: moderation_evidence: SELECT (id, name), INSERT"
            in said
        )
        assert ": created" not in said
        passwords = [urlsplit(url).password or "" for url in role_urls.values()]
        assert not any(password in said for password in passwords)

    def test_makes_roles_that_cannot_log_in_unless_told_to(self, db):
        call_command("grant_roles", prefix="planted_")

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rolcanlogin FROM pg_roles WHERE rolname LIKE 'planted_%'"
            )
            assert cursor.fetchall() == [(False,)] * len(MATRIX)

    @pytest.mark.parametrize(
        "power", ["SUPERUSER", "BYPASSRLS", "CREATEROLE", "IN ROLE pg_read_all_data"]
    )
    def test_refuses_a_role_that_no_grant_could_narrow(self, db, power):
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE planted_hub {power}")

        with pytest.raises(CommandError, match="planted_hub: a superuser, an owner"):
            call_command("grant_roles", prefix="planted_")

    def test_refuses_one_role_for_two_faces(self, db, role_urls, tmp_path):
        urls = {**role_urls, "hub": role_urls["staff"]}

        with pytest.raises(CommandError, match="a role of its own"):
            call_command("grant_roles", urls=written(tmp_path, urls))

    def test_names_the_file_that_is_missing(self, db, tmp_path):
        with pytest.raises(CommandError, match="database_url cannot be read"):
            call_command("grant_roles", urls=tmp_path)


def written(folder: Path, urls: dict[str, str]) -> Path:
    for face, url in urls.items():
        (folder / face).mkdir()
        (folder / face / "database_url").write_text(url)
    return folder
