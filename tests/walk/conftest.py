"""A whole installation of real processes: on SQLite and files, or on the PostgreSQL and Redis of `make test`."""

import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from urllib.parse import urlsplit

import psycopg
import pytest

from config.stack import Stack, running

_REDIS = count(20)


@contextmanager
def own_services() -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL of databases that nobody else uses."""
    given = os.environ["DATABASE_URL"]
    name = f"walk_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    yield {
        "DATABASE_URL": urlsplit(given)._replace(path=f"/{name}").geturl(),
        "REDIS_URL": own_redis(),
    }
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def own_redis() -> str:
    """Of the databases 20 to 63, ten for each process that tests: a worker never sees another one's messages."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    number = next(_REDIS) + 10 * process
    return urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{number}").geturl()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """On PostgreSQL and Redis."""
    folder = tmp_path_factory.mktemp("stack")
    quick = {"SWEEP_SECONDS": "1", "WORK_STALE_SECONDS": "5"}
    with own_services() as services, running(folder, **quick, **services) as it:
        yield it


@pytest.fixture(scope="package")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """On SQLite and files, as loud as it can be."""
    folder = tmp_path_factory.mktemp("embedded")
    with running(folder, SWEEP_SECONDS="1", LOG_LEVEL="DEBUG") as it:
        yield it


def wait_until(look: Callable[[], object], what: str, seconds: int = 90) -> object:
    """What ``look`` gives once it is true. The time is only a guard against waiting for ever."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"It never came: {what}.")


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
