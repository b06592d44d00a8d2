"""Run a command on a clean stage: `python -m tests.services.run [--production] -- …`.

With the option, PostgreSQL and Redis are started for the command, and stopped after it
whatever happens. With or without, its temporary files go away with the stage.
"""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from tests.services import provide, servers


def leave(number: int, _frame: FrameType | None) -> None:
    """A polite kill must still stop the servers: unwind instead of dying."""
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    """The command's own exit status."""
    options, command = arguments[: (cut := arguments.index("--"))], arguments[cut + 1 :]
    signal.signal(signal.SIGTERM, leave)
    environment = dict(os.environ)
    if browser := provide.chromium():
        environment["CHROMIUM"] = browser
    with ExitStack() as stage:
        folder = tempfile.TemporaryDirectory(
            "-stage", "nwmc-", ignore_cleanup_errors=True
        )
        environment["TMPDIR"] = stage.enter_context(folder)
        # PostgreSQL runs as another user and must be able to walk through.
        Path(folder.name).chmod(0o711)
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
