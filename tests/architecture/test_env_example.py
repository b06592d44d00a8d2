"""`.env.example` lists every variable that the settings read, and no other."""

import ast
import re
from pathlib import Path

from tests.architecture.source import ROOT

READERS = {"text", "boolean", "integer", "secret", "listing"}
ENTRY = re.compile(r"^#? ?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
EXAMPLE = (ROOT / ".env.example").read_text()


def reads(path: Path) -> dict[str, str]:
    """Each variable read here through `env.<reader>("NAME")`, with its reader."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=reader),
                args=[ast.Constant(value=str(name)), *_],
            ) if reader in READERS:
                found[name] = reader
    return found


def all_reads() -> dict[str, str]:
    paths = sorted((ROOT / "config").glob("*.py"))
    return {name: reader for path in paths for name, reader in reads(path).items()}


def test_lists_what_the_settings_read() -> None:
    assert {name for name, _ in ENTRY.findall(EXAMPLE)} == set(all_reads())


def test_lists_each_once() -> None:
    names = [name for name, _ in ENTRY.findall(EXAMPLE)]

    assert sorted(names) == sorted(set(names))


def test_gives_away_no_secret() -> None:
    secrets = {name for name, reader in all_reads().items() if reader == "secret"}
    values = dict(ENTRY.findall(EXAMPLE))

    assert secrets
    assert {name: values[name] for name in secrets if values[name]} == {}


def test_the_environment_is_read_in_one_place() -> None:
    apps = ("moderation", "victims", "reviews", "appeals")
    reading = re.compile(r"os\.(environ|getenv)")
    readers = [
        path.relative_to(ROOT).as_posix()
        for app in apps
        for path in (ROOT / app).rglob("*.py")
        if reading.search(path.read_text())
    ]

    assert readers == []
