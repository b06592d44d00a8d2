"""Several processes that do the same deed at the same moment, for the tests of races.

One process has loaded Django and touched no database; it forks, so that each child has a connection of its own and
all begin together. (A pytest process has threads and connections, and must not be forked itself.)
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]


def together(module: str, deed: str, arguments: Sequence[int]) -> list[Any]:
    """What ``module``'s deed gave in a process of its own for each argument, on this test's database."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "EMBEDDED": "1",
        "VAR_DIR": str(settings.VAR_DIR),
        "DATABASE_URL": database_url(),
        "LOG_LEVEL": "ERROR",
    }
    done = subprocess.run(
        [sys.executable, "-m", module, deed, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    said: list[Any] = json.loads(done.stdout)
    return said


def database_url() -> str:
    """The test database, as another process would be told of it."""
    conf = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{conf['NAME']}"
    who = f"{quote(conf['USER'])}:{quote(conf['PASSWORD'])}"
    return f"postgres://{who}@{conf['HOST']}:{conf['PORT']}/{conf['NAME']}"


def play(deed: Callable[[int], Any], arguments: Sequence[int]) -> None:
    """The other side: fork once for each argument, let all go at once, print what each gave as JSON.

    :raises SystemExit: if a child failed.
    """
    gate, opened = os.pipe()
    children = [_child(deed, argument, gate, opened) for argument in arguments]
    os.close(gate)
    os.close(
        opened
    )  # the last writer is gone: every child that waits at the gate reads its end
    said = []
    for pid, answer in children:
        with os.fdopen(answer, encoding="utf-8") as file:
            text = file.read()
        if os.waitpid(pid, 0)[1] != 0:
            raise SystemExit("A process of the race failed.")
        said.append(json.loads(text))
    sys.stdout.write(json.dumps(said))


def _child(
    deed: Callable[[int], Any], argument: int, gate: int, opened: int
) -> tuple[int, int]:
    answer, mouth = os.pipe()
    pid = os.fork()
    if pid:
        os.close(mouth)
        return pid, answer
    status = 1
    try:
        os.close(opened)
        os.read(gate, 1)
        with os.fdopen(mouth, "w", encoding="utf-8") as file:
            json.dump(deed(argument), file)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)
