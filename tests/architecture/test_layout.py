"""Every file has its room, none is a drawer for odds and ends, and none is unfinished."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import files, name

DRAWERS = re.compile(r"^(utils?|helpers?|common|misc|managers)$")
UNFINISHED = re.compile(
    r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|pytest\.(skip|xfail)\(|mark\.(skip|xfail)"
)
MACHINE = re.compile(r"(?<![\w.])/(root|home|work|Users)/")
MOST_LINES = 400


def ours(*suffixes: str) -> list[Path]:
    return [path for path in files(*suffixes) if "migrations" not in path.parts]


def test_no_module_is_a_drawer() -> None:
    parts = {
        part for path in ours(".py") for part in Path(name(path)).with_suffix("").parts
    }

    assert {part for part in parts if DRAWERS.match(part)} == set()


def test_no_python_file_is_past_its_length() -> None:
    lengths = {name(path): path.read_text().count("\n") for path in ours(".py")}

    assert {path: n for path, n in lengths.items() if n > MOST_LINES} == {}


@pytest.mark.parametrize(
    "pattern", [UNFINISHED, MACHINE], ids=["unfinished", "machine"]
)
def test_nothing_is_left_over(pattern: re.Pattern[str]) -> None:
    texts = ours(".py", ".html", ".js", ".css", ".md", ".toml", ".txt", "")
    found = [
        f"{name(path)}:{number}"
        for path in texts
        if path.is_file()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []
