"""What is installed is what was locked: by hash, from any index, the same everywhere."""

import re
from itertools import pairwise

import pytest
from packaging.requirements import Requirement

from tests.architecture.source import ROOT

LOCKS = ("requirements", "requirements-demo", "requirements-dev")
BESIDE = ("requirements-milvus", "requirements-exchange")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(lock: str) -> list[tuple[Requirement, str]]:
    """Each locked requirement with its hashes, backslashes folded away."""
    text = (ROOT / f"{lock}.txt").read_text().replace("\\\n", " ")
    split = (line.partition("--hash") for line in text.splitlines() if line)
    return [(Requirement(spec), mark + hashes) for spec, mark, hashes in split]


def wanted(lock: str) -> list[Requirement]:
    """What the .in file asks for, with what it includes."""
    lines = (ROOT / f"{lock}.in").read_text().splitlines()
    includes = [line.removeprefix("-r ") for line in lines if line.startswith("-r ")]
    below = [req for other in includes for req in wanted(other.removesuffix(".in"))]
    return below + [Requirement(line) for line in lines if re.match(r"\w", line)]


@pytest.mark.parametrize("lock", [*LOCKS, *BESIDE])
class TestEachLock:
    def test_pins_every_package_by_hash(self, lock: str) -> None:
        for requirement, hashes in entries(lock):
            assert [s.operator for s in requirement.specifier] == ["=="], requirement
            assert hashes, requirement
            assert HASH.sub("", hashes).strip() == "", requirement

    def test_names_no_source(self, lock: str) -> None:
        text = (ROOT / f"{lock}.txt").read_text()

        assert not re.search(r"://| @ |^\s*-(?!-hash)", text, re.MULTILINE)

    def test_holds_what_was_asked_for(self, lock: str) -> None:
        pinned: dict[str, list[Requirement]] = {}
        for requirement, _ in entries(lock):
            pinned.setdefault(requirement.name, []).append(requirement)

        for asked in wanted(lock):
            found = pinned.get(asked.name.lower(), [])
            assert found, f"{asked} is not in {lock}.txt: run make lock"
            for pin in found:
                (exact,) = pin.specifier
                assert asked.specifier.contains(exact.version), f"{asked}, {pin}"


def test_the_locks_agree() -> None:
    """What the tests try is what production gets."""
    for smaller, larger in pairwise(LOCKS):
        assert versions(smaller) <= versions(larger)
    assert versions("requirements") <= versions("requirements-milvus")


def versions(lock: str) -> set[str]:
    """Without the machines that each is for: what more is installed may need it on more of them."""
    return {f"{found.name}{found.specifier}" for found, _ in entries(lock)}


def test_everything_that_installs_asks_for_hashes_and_wheels() -> None:
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    installs = [line for line in makefile.splitlines() if "pip install" in line]

    assert installs
    for line in installs:
        assert "--require-hashes" in line
        assert "--only-binary :all:" in line
