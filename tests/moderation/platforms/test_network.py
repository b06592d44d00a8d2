import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
APPS = ("moderation", "victims", "reviews", "appeals")
NETWORK = {
    *("socket", "ssl", "http.client", "http.server", "urllib.request", "urllib3"),
    *("requests", "httpx", "aiohttp", "smtplib", "ftplib", "telnetlib", "asyncio"),
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_only_these_modules_can_open_a_connection() -> None:
    """T-33: what goes out goes through the guard, or to the hub itself, or to our own decoder."""
    found = {
        path.relative_to(ROOT).as_posix()
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if NETWORK & set(imported(path))
    }

    assert found == {
        "moderation/media/jailed/lockdown.py",  # shuts the network off
        "moderation/media/warm.py",  # a socket pair to the decoder on this machine
        "moderation/platforms/feeds/door.py",  # partners' lists, through the guard
        "moderation/platforms/feeds/ncmec.py",  # names its client's errors
        "moderation/platforms/feeds/stopncii.py",  # likewise
        "moderation/platforms/client.py",  # a stand-in, to this very installation
        "moderation/platforms/outbound.py",  # the guard
    }
