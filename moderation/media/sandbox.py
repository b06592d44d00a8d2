"""Run a program on some bytes in a process that can do nothing else (T-43, T-44)."""

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Final

import PIL

from moderation.media.jailed import lockdown
from moderation.media.limits import CPU_SECONDS, WALL_SECONDS, Code, MediaRefused

SITE: Final = Path(PIL.__file__).parent.parent
LOCKDOWN: Final = Path(lockdown.__file__)
COMMAND: Final = (sys.executable, "-I", "-S", str(LOCKDOWN), str(SITE))
NOTHING: Final = LOCKDOWN.with_name("nothing.py")
PIPE_BYTES: Final = 1 << 20  # the most an ordinary user may ask for

ALL_PROTECTIONS: Final = frozenset(lockdown.PROTECTIONS)


@dataclass(frozen=True)
class Reply:
    """What the program answered, and the protections under which it ran."""

    body: bytearray = field(repr=False)
    protections: frozenset[str]


class _Silence(Exception):  # noqa: N818 an answer that did not come
    """The process ended, or said something that is no answer."""


def run(
    program: Path,
    data: bytes,
    *,
    reply_limit: int,
    cpu_seconds: int = CPU_SECONDS,
    wall_seconds: float = WALL_SECONDS,
) -> Reply:
    """Give `data` to the function `answer` of the file `program`; return its answer.

    :raises MediaRefused: `too_slow`, `out_of_memory` or `crashed`.
    """
    deadline = time.monotonic() + wall_seconds
    with _process(program, cpu_seconds) as (process, inlet, outlet):
        try:
            _send(inlet, data, deadline)
            return _receive(outlet, reply_limit, deadline)
        except _Silence:
            raise MediaRefused(_cause_of_death(process)) from None


@cache
def isolation() -> frozenset[str]:
    """The protections that this host grants, found by trying, once per process."""
    return run(NOTHING, b"", reply_limit=0).protections


@contextmanager
def _process(
    program: Path, cpu_seconds: int
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]]:
    """The child and the pipes to and from it; it is dead when this ends."""
    process = subprocess.Popen(  # noqa: S603 our interpreter, our files
        [*COMMAND, str(program), str(cpu_seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd="/",
        env={},
        process_group=0,  # Ctrl-C in a terminal is meant for us, not for the child
    )
    with process:
        try:
            yield process, _widened(process.stdin), _widened(process.stdout)
        finally:
            process.kill()


def _widened(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise _Silence
    os.set_blocking(pipe.fileno(), False)
    # Only Linux has it, and not for a user with many pipes: small ones are slower, no worse.
    with suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return pipe


def _send(pipe: IO[bytes], data: bytes, deadline: float) -> None:
    left = memoryview(data)
    while left:
        _wait(pipe, select.POLLOUT, deadline)
        try:
            left = left[os.write(pipe.fileno(), left) :]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            raise _Silence from None
    pipe.close()


def _receive(pipe: IO[bytes], limit: int, deadline: float) -> Reply:
    magic, bits, length = lockdown.HEADER.unpack(
        _read(pipe, lockdown.HEADER.size, deadline)
    )
    if magic != lockdown.MAGIC or length > limit:
        raise _Silence
    return Reply(_read(pipe, length, deadline), lockdown.decode(bits))


def _read(pipe: IO[bytes], length: int, deadline: float) -> bytearray:
    buffer = bytearray(length)
    left = memoryview(buffer)
    while left:
        _wait(pipe, select.POLLIN, deadline)
        try:
            count = os.readv(pipe.fileno(), [left])
        except BlockingIOError:
            continue
        if count == 0:
            raise _Silence
        left = left[count:]
    return buffer


def _wait(pipe: IO[bytes], event: int, deadline: float) -> None:
    poller = select.poll()
    poller.register(pipe, event)
    if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise MediaRefused("too_slow")


def _cause_of_death(process: subprocess.Popen[bytes]) -> Code:
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    if process.returncode == -signal.SIGXCPU:
        return "too_slow"
    if process.returncode == lockdown.EXIT_OUT_OF_MEMORY:
        return "out_of_memory"
    return "crashed"
