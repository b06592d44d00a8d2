"""A database that somebody else has locked: a clear answer, nothing half done, and the repeat succeeds."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from django.db import connection

from moderation.models import Content, HashBank
from tests.moderation.api.conftest import Caller, content, problem_of, stored_files
from tests.moderation.api.test_match import BANKED, asked

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def locked() -> Iterator[None]:
    """Another connection holds what a submission must write; ours waits for it only a moment."""
    where = connection.settings_dict
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(where["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 50")
            yield
            other.execute("ROLLBACK")
        connection.close()
        return
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    access = {name: where[key] for name, key in names.items() if where[key]}
    with psycopg.connect(dbname=where["NAME"], **access) as other:
        other.execute("LOCK TABLE moderation_content IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        yield
        other.rollback()
    connection.close()


def test_is_said_and_the_same_request_succeeds_later(caller: Caller) -> None:
    with locked():
        refused = caller.form(**content())
    before = stored_files()
    taken = caller.form(**content())

    assert problem_of(refused) == (503, "busy")
    assert int(refused["Retry-After"]) > 0
    assert before == []
    assert taken.status_code == 202
    assert Content.objects.count() == 1


@contextmanager
def away() -> Iterator[None]:
    """Nobody answers where the database was."""
    where = connection.settings_dict
    name = where["NAME"]
    connection.close()
    where["NAME"] = "/nowhere/at-all" if connection.vendor == "sqlite" else "nowhere"
    try:
        yield
    finally:
        connection.close()
        where["NAME"] = name


def test_without_a_database_nothing_is_allowed(caller: Caller, cases: HashBank) -> None:
    """No key can be checked and no bank be asked: a clear no, and never an ``allow``."""
    before = caller.json(asked(BANKED))
    with away():
        refused = caller.json(asked(BANKED))
    after = caller.json(asked(BANKED))

    assert problem_of(refused) == (503, "busy")
    assert int(refused["Retry-After"]) > 0
    assert b"verdict" not in refused.content
    assert (before.status_code, after.status_code) == (200, 200)
