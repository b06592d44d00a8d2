"""Throw-away PostgreSQL and Redis: free ports, fresh passwords, nothing durable."""

import os
import pwd
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis as redis_client

from tests.services import provide

HINT = "Run python -m tests.services.provide."
# A database that a power cut may spoil is a fast one. What the server logs must not
# carry rows or parameters, here as in production (T-47).
POSTGRES_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_identity() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: whom to run it as instead, if root we are."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL data folder and the programs that work on it."""

    binaries: Path
    home: Path
    identity: dict[str, Any]

    def own(self, path: Path) -> None:
        if self.identity:
            os.chown(path, self.identity["user"], self.identity["group"])

    def run(self, program: str, *arguments: str) -> None:
        """
        :raises RuntimeError: with the server's own words, if the program fails.
        """
        command = [self.binaries / program, "-D", self.home / "data", *arguments]
        # A file, not a pipe: the server inherits it, and a pipe would never close.
        with (self.home / "output").open("a+") as output:
            done = subprocess.run(
                command, stdout=output, stderr=output, cwd=self.home, **self.identity
            )
            if done.returncode:
                output.seek(0)
                raise RuntimeError(f"{program} failed:\n{output.read()}")


@contextmanager
def postgres() -> Iterator[str]:
    """A cluster of its own; yields a DATABASE_URL.

    :raises RuntimeError: if there is no PostgreSQL, or it does not start.
    """
    binaries = provide.any_postgres()
    if binaries is None:
        raise RuntimeError(f"There is no PostgreSQL. {HINT}")
    password, port = secrets.token_urlsafe(16), free_port()
    with tempfile.TemporaryDirectory(prefix="nwmc-postgres-") as home:
        cluster = Cluster(binaries, Path(home), server_identity())
        pwfile = cluster.home / "password"
        pwfile.write_text(password)
        cluster.own(cluster.home)
        cluster.own(pwfile)
        cluster.run(
            *("initdb", "-U", "nwmc", f"--pwfile={pwfile}", "-A", "scram-sha-256"),
            *("-E", "UTF8", "--no-locale", "--no-sync"),
        )
        options = [f"-c {name}={value}" for name, value in POSTGRES_OPTIONS.items()]
        address = f"-p {port} -k {home} " + " ".join(options)
        cluster.run("pg_ctl", "start", "-w", "-o", address)
        try:
            yield f"postgres://nwmc:{password}@127.0.0.1:{port}/postgres"
        finally:
            cluster.run("pg_ctl", "stop", "-w", "-m", "immediate")


@contextmanager
def redis(port: int = 0, password: str = "") -> Iterator[str]:
    """A server of its own; yields a REDIS_URL. Port and password are made unless given.

    :raises RuntimeError: if it does not start.
    """
    binary = provide.redis_server()
    if binary is None:
        raise RuntimeError(f"There is no Redis. {HINT}")
    password, port = password or secrets.token_urlsafe(16), port or free_port()
    with tempfile.TemporaryDirectory(prefix="nwmc-redis-") as home:
        settings = {
            "port": port, "bind": "127.0.0.1", "requirepass": password, "dir": home,
            "save": "", "appendonly": "no", "databases": 64,
        }  # fmt: skip
        command = [binary]
        for name, value in settings.items():
            command += [f"--{name}", str(value)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            try:
                url = f"redis://default:{password}@127.0.0.1:{port}/0"
                wait_for_redis(url, server)
                yield url
            finally:
                server.terminate()


def wait_for_redis(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    with redis_client.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except redis_client.ConnectionError as error:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("redis-server did not start.") from error
                time.sleep(0.05)
            else:
                return
