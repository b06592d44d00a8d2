"""An installation as docs/deploy.md builds it, on one machine and without TLS.

Its own PostgreSQL database with an owner that is no superuser and a role for each face, Redis, a bucket, four faces
under gunicorn, a worker and beat; every process has its own address, its own DATABASE_URL, and only the keys it needs.
"""

import base64
import http.client
import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from config.roles import MATRIX
from config.stack import Stack, StackError
from tests.services.servers import free_port
from tests.walk.conftest import wait_until

HOSTS = {face: f"{face}.example.org" for face in ("hub", "appeals", "staff", "api")}
OWNER = "keeper"
KEYS = ("SECRET_KEY", "EVIDENCE_KEY", "BANK_KEY", "PIN_PEPPER")
# The keys that zones share. Where a zone is not named, it gets a value of its own there that opens nothing.
SHARED = {
    "EVIDENCE_KEY": {"appeals", "api", "staff", "worker"},
    "BANK_KEY": {"hub", "api", "staff", "worker"},
    "PIN_PEPPER": {"hub"},
}
# Only these speak to the bucket.
WITH_PICTURES = {"api", "staff", "worker"}
METRICS_TOKEN = "a token for the figures"
_HOME = Path(__file__).resolve().parent.parent.parent
_COMMANDS = """
import io, json, sys
import django
django.setup()
from django.core.management import call_command
said = []
for command in json.loads(sys.argv[1]):
    call_command(*command, stdout=(out := io.StringIO()))
    said.append(out.getvalue().strip())
print(json.dumps(said))
"""


class Proxy(urllib.request.HTTPSHandler):
    """What a proxy that ends TLS does: to the face's port, under the name that was asked for, and it was https."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        super().__init__()
        self._ports = ports

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        request.add_unredirected_header("X-Forwarded-Proto", "https")
        request.add_unredirected_header("X-Real-IP", "192.0.2.7")
        return self.do_open(self._connected, request)

    def _connected(self, host: str, **more: Any) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._ports[host], **more)


@dataclass
class Installation(Stack):
    """``environment`` is the owner's; each zone has one of its own in ``zones``."""

    zones: dict[str, dict[str, str]] = field(default_factory=dict)
    ports: dict[str, int] = field(
        default_factory=lambda: {host: free_port() for host in HOSTS.values()}
    )

    @property
    def proxy(self) -> Proxy:
        return Proxy(self.ports)

    def site(self, face: str) -> str:
        return f"https://{HOSTS[face]}"

    def start(self, name: str) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._command(name),
                cwd=_HOME,
                env=self.zones["worker" if name == "beat" else name],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _command(self, name: str) -> list[str]:
        if name in HOSTS:
            bind = f"127.0.0.1:{self.ports[HOSTS[name]]}"
            gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi:application"]
            return [*gunicorn, "--bind", bind, "--workers", "1"]
        celery = [sys.executable, "-m", "celery", "--quiet", "-A", "config", name]
        if name == "beat":
            return [*celery, "--schedule", str(self.logs / "beat-schedule")]
        return [*celery, "-c", "1", "-O", "fair", "--without-gossip", "--without-mingle"]  # fmt: skip

    def commands(self, *commands: list[str]) -> list[str]:
        """Management commands in one process, as the owner; what each of them said."""
        done = subprocess.run(
            [sys.executable, "-c", _COMMANDS, json.dumps(commands)],
            cwd=_HOME,
            env=dict(self.environment),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise StackError(done.stderr[-2000:])
        said: list[str] = json.loads(done.stdout.splitlines()[-1])
        return said

    def wait_until_ready(self) -> None:
        opener = urllib.request.build_opener(self.proxy)

        def answers(face: str) -> bool:
            if self.processes[face].poll() is not None:
                raise StackError((self.logs / f"{face}.log").read_text()[-2000:])
            with suppress(OSError):
                return opener.open(f"{self.site(face)}/readyz", timeout=5).status == 200
            return False

        for face in HOSTS:
            wait_until(partial(answers, face), f"the face {face}")


@contextmanager
def installed(
    folder: Path,
    *,
    server: str,
    redis: str,
    bucket: Mapping[str, str],
    credentials: Mapping[str, str],
) -> Iterator[Installation]:
    """``server`` is a superuser's DATABASE_URL; what is made there is gone afterwards."""
    mark = secrets.token_hex(4)
    with _database(server, mark) as urls:
        _write_keys(folder, urls)
        common = {**_common(folder), "REDIS_URL": redis, **bucket}
        zones = {zone: common | _own(folder, zone) for zone in (OWNER, *MATRIX)}
        for zone in WITH_PICTURES:
            zones[zone] |= credentials
        installation = Installation("", zones[OWNER], folder, zones=zones)
        try:
            with _static_files(installation):
                installation.commands(
                    ["migrate", "--verbosity", "0"],
                    ["grant_roles", "--urls", str(folder / "keys")],
                    ["prepare"],
                    ["check", "--deploy", "--fail-level", "WARNING"],
                )
            for name in (*HOSTS, "worker", "beat"):
                installation.start(name)
            installation.wait_until_ready()
            yield installation
        finally:
            installation.stop()


@contextmanager
def _database(server: str, mark: str) -> Iterator[dict[str, str]]:
    """A database with its owner; the DATABASE_URL of each zone, also of those whose role is yet to be made."""
    name, zones = f"production_{mark}", (OWNER, *MATRIX)
    urls = {zone: _url(server, f"nwmc_{zone}_{mark}", name) for zone in zones}
    keeper = f"nwmc_{OWNER}_{mark}"
    password = urlsplit(urls[OWNER]).password
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"CREATE ROLE {keeper} LOGIN CREATEROLE PASSWORD '{password}'")
        session.execute(f"CREATE DATABASE {name} OWNER {keeper}")
    try:
        yield urls
    finally:
        with psycopg.connect(server, autocommit=True) as session:
            session.execute(f"DROP DATABASE {name} WITH (FORCE)")
            for zone in reversed(zones):
                session.execute(f"DROP ROLE IF EXISTS nwmc_{zone}_{mark}")


def _url(server: str, role: str, name: str) -> str:
    address = urlsplit(server).netloc.rpartition("@")[2]
    return f"postgres://{role}:{secrets.token_urlsafe(16)}@{address}/{name}"


def _common(folder: Path) -> dict[str, str]:
    platforms = {
        "facebook": {
            "ADAPTER": "moderation.platforms.sandbox.Sandbox",
            "OPTIONS": {"alias": "facebook", "folder": str(folder / "sandbox")},
        },
        "nowhere": {
            "ADAPTER": "moderation.platforms.webhook.Webhook",
            "OPTIONS": {
                "url": "https://nowhere.invalid/moderation",
                "secrets": [f"whsec_{_key()}"],
            },
        },
    }
    file = folder / "platforms.json"
    file.write_text(json.dumps(platforms))
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(folder / "var"),
        **{f"{face.upper()}_URL": f"https://{host}" for face, host in HOSTS.items()},
        "CLIENT_ADDRESS_META": "HTTP_X_REAL_IP",
        "JURISDICTION": "IE",
        "REPORTING_BODY": "the hotline",
        "LEGAL_CONTACT": "legal@example.org",
        "SAFETY_CONTACT": "safety@example.org",
        "DISPUTE_BODIES": "a dispute body",
        "PLATFORMS_FILE": str(file),
        "METRICS_TOKEN": METRICS_TOKEN,
        "SWEEP_SECONDS": "1",
    }


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _write_keys(folder: Path, urls: Mapping[str, str]) -> None:
    """``keys/<zone>/``: what each zone may read, and nothing of another one."""
    shared = {name: _key() for name in SHARED}
    for zone, url in urls.items():
        home = folder / "keys" / zone
        home.mkdir(parents=True)
        (home / "database_url").write_text(url)
        for name in KEYS:
            is_shared = zone in SHARED.get(name, set())
            (home / name.lower()).write_text(shared[name] if is_shared else _key())


def _own(folder: Path, zone: str) -> dict[str, str]:
    home = folder / "keys" / zone
    names = ("DATABASE_URL", *KEYS)
    files = {f"{name}_FILE": str(home / name.lower()) for name in names}
    return {"FACE": "worker" if zone == OWNER else zone, **files}


@contextmanager
def _static_files(installation: Installation) -> Iterator[None]:
    """Collected while the database is made ready."""
    with subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            "collectstatic",
            "--no-input",
            "--verbosity",
            "0",
        ],
        cwd=_HOME,
        env=dict(installation.environment),
    ) as collecting:
        yield
    if collecting.returncode:
        raise StackError("collectstatic failed.")
