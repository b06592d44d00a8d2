"""Processes that have loaded a program and wait: a job costs a fork, not a start of Python and its libraries.

What waits has none of our environment and has never seen a picture. It is replaced after some jobs, because all
children of one process have the same memory layout, and an attacker may try again.
"""

import atexit
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import PIL

from moderation.media.jailed import lockdown

SITE: Final = Path(PIL.__file__).parent.parent
COMMAND: Final = (sys.executable, "-I", "-S", lockdown.__file__, str(SITE))
# Each child pays for the memory that it is the first to touch and for the functions that it is the first to find: so
# memory comes in large pages and is kept, and functions are found before the first fork.
ENVIRONMENT: Final = {
    "LD_BIND_NOW": "1",
    "GLIBC_TUNABLES": ":".join(
        (
            "glibc.malloc.hugetlb=1",
            "glibc.malloc.mmap_threshold=1073741824",
            "glibc.malloc.trim_threshold=1073741824",
            "glibc.malloc.top_pad=4194304",
        )
    ),
}
MAX_JOBS: Final = 200
MAX_IDLE: Final = 4


class Warm:
    """One waiting process; used by one thread at a time."""

    def __init__(self, program: Path) -> None:
        self.program = program
        self.jobs = 0
        self.line, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 our interpreter, our files
                [*COMMAND, str(program)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=ENVIRONMENT,
                process_group=0,  # Ctrl-C in a terminal is meant for us alone
            )

    def start_job(self, inlet: int, outlet: int, cpu_seconds: int, wish: bytes) -> None:
        """Let a child read from `inlet` and write to `outlet`.

        :raises OSError: if the process is gone.
        """
        self.jobs += 1
        order = lockdown.ORDER.pack(cpu_seconds, wish)
        socket.send_fds(self.line, [order], [inlet, outlet])

    def exit_code(self, seconds: float) -> int | None:
        """How the child ended, as in `subprocess`; None if that is not known in time."""
        self.line.settimeout(max(0.001, seconds))
        try:
            answer = self.line.recv(lockdown.RESULT.size, socket.MSG_WAITALL)
        except OSError:
            return None
        if len(answer) != lockdown.RESULT.size:
            return None
        code: int = lockdown.RESULT.unpack(answer)[0]
        return code

    def end(self) -> None:
        """Kill the process; a child at work dies with it."""
        self.line.close()
        self.process.kill()
        self.process.wait()

    def disown(self) -> None:
        """After a fork this is the parent's, not ours: let go without a word."""
        self.line.close()
        self.process.returncode = 0


_idle: list[Warm] = []
_guard = threading.Lock()


def take(program: Path) -> Warm:
    """A process that waits for `program`, or a new one."""
    with _guard:
        for warm in _idle:
            if warm.program == program:
                _idle.remove(warm)
                break
        else:
            return Warm(program)
    if warm.process.poll() is None:
        return warm
    warm.end()
    return Warm(program)


def give_back(warm: Warm) -> None:
    with _guard:
        if warm.jobs < MAX_JOBS and len(_idle) < MAX_IDLE:
            _idle.append(warm)
            return
    warm.end()


@atexit.register
def end_all() -> None:
    with _guard:
        while _idle:
            _idle.pop().end()


def disown_all() -> None:
    global _guard
    _guard = threading.Lock()  # another thread of the parent may have held it
    while _idle:
        _idle.pop().disown()


os.register_at_fork(after_in_child=disown_all)
