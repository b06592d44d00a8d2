"""What the architecture tests read: the project's own files."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    *("config", "moderation", "victims", "reviews", "appeals", "tests"),
    *("benchmarks", "templates", "static", "docs", ".ci"),
)


def files(*suffixes: str) -> Iterator[Path]:
    """The files with these suffixes; what others wrote (vendored, generated) apart."""
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            ours = not {"vendor", "__pycache__"} & set(path.parts)
            if ours and path.suffix in suffixes:
                yield path
    yield from (path for path in ROOT.glob("*") if path.suffix in suffixes)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
