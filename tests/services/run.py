"""Run a command on a clean stage: `python -m tests.services.run [--production] -- …`.

Without the option the command sees the embedded default and nothing of the caller's
configuration. With it, PostgreSQL and Redis are started for it, and stopped after it
whatever happens. Temporary files go away with the stage.
"""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from types import FrameType

from tests.services import provide, servers

CONFIGURATION = (
    "DATABASE_URL",
    "REDIS_URL",
    "EVIDENCE_BUCKET",
    "VAR_DIR",
    "FACE",
    "DEBUG",
)


def leave(number: int, _frame: FrameType | None) -> None:
    """A polite kill must still stop the servers: unwind instead of dying."""
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    """The command's own exit status."""
    options, command = arguments[: (cut := arguments.index("--"))], arguments[cut + 1 :]
    signal.signal(signal.SIGTERM, leave)
    environment = {k: v for k, v in os.environ.items() if k not in CONFIGURATION}
    if browser := provide.chromium():
        environment["CHROMIUM"] = browser
    with ExitStack() as stage:
        environment["TMPDIR"] = stage.enter_context(
            tempfile.TemporaryDirectory(
                prefix="nwmc-stage-", ignore_cleanup_errors=True
            )
        )
        if "--production" in options:
            environment["DATABASE_URL"] = stage.enter_context(servers.postgres())
            environment["REDIS_URL"] = stage.enter_context(servers.redis())
        with subprocess.Popen(command, env=environment) as process:
            try:
                return process.wait()
            except (KeyboardInterrupt, SystemExit):
                process.terminate()
                raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
