"""A whole installation of real processes: on SQLite and files, or on the PostgreSQL and Redis of `make test`."""

import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from config.stack import Stack, running
from tests.browser.conftest import chromium

__all__ = ["chromium"]


@pytest.fixture(scope="session")
def services() -> Iterator[dict[str, str]]:
    with own_services(redis_number=8) as found:
        yield found


@pytest.fixture(scope="module")
def fresh_services() -> Iterator[dict[str, str]]:
    with own_services(redis_number=9) as found:
        yield found


@contextmanager
def own_services(redis_number: int) -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL of databases of its own, where `make test` provides the servers; else nothing."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        yield {}
        return
    name = f"walk_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    redis = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{redis_number}").geturl()
    yield {
        "DATABASE_URL": urlsplit(given)._replace(path=f"/{name}").geturl(),
        "REDIS_URL": redis,
    }
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, services: dict[str, str]
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with running(folder, SWEEP_SECONDS="1", WORK_STALE_SECONDS="5", **services) as it:
        yield it


@pytest.fixture
def until() -> Callable[..., object]:
    return wait_until


def wait_until(look: Callable[[], object], what: str, seconds: int = 90) -> object:
    """What ``look`` gives once it is true. The time is only a guard against waiting for ever."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"It never came: {what}.")


def logs(stack: Stack) -> str:
    return "".join(
        path.read_text(errors="replace") for path in Path(stack.logs).glob("*.log")
    )


def multipart(picture: bytes, **fields: str) -> tuple[bytes, str]:
    """The body of a form with a picture, and its content type."""
    boundary = uuid.uuid4().hex
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    )
    body += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="media"; filename="x"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    body += picture + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def send(stack: Stack, key: str, external_id: str, picture: bytes, **more: str) -> int:
    """POST /api/v1/content/ as a platform would; the status."""
    fields = {"external_id": external_id, "account_id": "kim", **more}
    body, kind = multipart(picture, **fields)
    request = urllib.request.Request(
        f"{stack.url}/api/v1/content/",
        data=body,
        headers={"Authorization": f"Bearer {key}", "Content-Type": kind},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
