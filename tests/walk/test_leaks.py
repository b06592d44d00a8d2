"""The whole walk, then a search for every secret in every place that a thief or a log reader gets to (T-47)."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from psycopg import sql

from config import demo, walk
from config.stack import Stack, running
from moderation import hashing
from moderation.media import decode
from tests.walk.conftest import own_services


@pytest.fixture(scope="module")
def loud(tmp_path_factory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("leaks")
    with (
        own_services() as services,
        running(folder, LOG_LEVEL="DEBUG", **services) as it,
    ):
        yield it


@pytest.fixture(
    scope="module",
    params=["embedded", pytest.param("loud", marks=pytest.mark.services)],
)
def walked(request) -> tuple[Stack, walk.Walk, list[str]]:
    stack = request.getfixturevalue(request.param)
    steps: list[str] = []
    played = walk.Walk(stack, lambda text, seconds: steps.append(text))
    played.play()
    return stack, played, steps


@pytest.fixture(scope="module")
def secrets(walked) -> dict[str, bytes]:
    original = demo.picture(walk.PICTURE).read_bytes()
    value = hashing.pdq(decode(original).pixels).hash
    number = walked[1].number
    return {
        "PIN": walk.PIN.encode(),
        "case number": number.encode(),
        "case number in groups": "-".join(
            number[start : start + 4] for start in range(0, 16, 4)
        ).encode(),
        "hash": value.hex().encode(),
        "hash bytes": value,
        "picture": original[200:224],
        "what the appellant wrote": walk.APPEAL_WORDS.encode(),
        "platform key": played_key(walked[0]).encode(),
    }


def played_key(stack: Stack) -> str:
    return walk.Sandbox(alias="facebook", folder=str(stack.logs / "sandbox")).key


def test_the_walk_is_whole(walked):
    assert len(walked[2]) == 15


def test_no_log_line_holds_a_secret(walked, secrets):
    printed = b"".join(path.read_bytes() for path in walked[0].logs.glob("*.log"))
    assert b'"route": "victims:open"' in printed, "the logs were not written"
    absent(secrets | {"address": b"127.0.0.1"}, printed)


def test_the_database_holds_no_secret_in_the_clear(walked, secrets):
    absent(secrets, dump(walked[0]))


def test_the_evidence_store_and_the_broker_hold_ciphertext_and_numbers(walked, secrets):
    stack = walked[0]
    files = [
        path
        for name in ("evidence", "broker", "cache", "files")
        for path in (stack.logs / name).rglob("*")
        if path.is_file()
    ]
    assert any(path.is_relative_to(stack.logs / "evidence") for path in files)
    absent(secrets, b"".join(path.read_bytes() for path in files))
    absent(secrets, in_redis(stack))


def in_redis(stack: Stack) -> bytes:
    url = stack.environment.get("REDIS_URL", "")
    if not url:
        return b""
    with redis.Redis.from_url(url) as server:
        found = [server.dump(key) or b"" for key in server.scan_iter()]
    assert found
    return b"".join(found)


def dump(stack: Stack) -> bytes:
    """Everything that a stolen database shows."""
    url = stack.environment.get("DATABASE_URL", "")
    if not url:
        return b"".join(path.read_bytes() for path in stack.logs.glob("db.sqlite3*"))
    rows: list[bytes] = []
    with psycopg.connect(urlsplit(url).geturl()) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (name,) in names:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(name))
            rows += [row[0].encode() for row in connection.execute(query)]
    return b"\n".join(rows)


def absent(secrets: dict[str, bytes], text: bytes) -> None:
    found = [
        name
        for name, secret in secrets.items()
        if secret in text or secret.hex().encode() in text
    ]
    assert found == []


def test_the_search_finds_what_is_there(walked, tmp_path: Path):
    with pytest.raises(AssertionError):
        absent({"alias": b"facebook"}, dump(walked[0]))
