"""Run a program on some bytes in a process that can do nothing else (T-43, T-44)."""

import fcntl
import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Final

from moderation.media import warm
from moderation.media.jailed import lockdown
from moderation.media.limits import CPU_SECONDS, WALL_SECONDS, Code, MediaRefused

ALL_PROTECTIONS: Final = frozenset(lockdown.PROTECTIONS)
PIPE_BYTES: Final = 1 << 20  # the most an ordinary user may ask for
CAUSES: Final[dict[int, Code]] = {
    -signal.SIGXCPU: "too_slow",
    lockdown.EXIT_OUT_OF_MEMORY: "out_of_memory",
}


@dataclass(frozen=True)
class Reply:
    """What the program answered, and the protections under which it ran."""

    body: bytearray = field(repr=False)
    protections: frozenset[str]


class _Silence(Exception):  # noqa: N818 an answer that did not come
    """The child ended, or said something that is no answer."""


def run(
    program: Path,
    data: bytes,
    *,
    reply_limit: int,
    wish: bytes = b"",
    cpu_seconds: int = CPU_SECONDS,
    wall_seconds: float = WALL_SECONDS,
) -> Reply:
    """Give `data` and `wish` to the function `answer` of the file `program`; return its answer.

    :raises MediaRefused: `too_slow`, `out_of_memory` or `crashed`.
    """
    deadline = time.monotonic() + wall_seconds
    process = warm.take(program)
    try:
        reply = _job(process, data, wish, reply_limit, cpu_seconds, deadline)
    except BaseException:
        process.end()  # who made a child fail does not meet the same memory layout again
        raise
    warm.give_back(process)
    return reply


def _job(
    process: warm.Warm,
    data: bytes,
    wish: bytes,
    limit: int,
    cpu_seconds: int,
    deadline: float,
) -> Reply:
    their_inlet, inlet = _pipe()
    outlet, their_outlet = _pipe()
    with inlet, outlet:
        with their_inlet, their_outlet:
            process.start_job(
                their_inlet.fileno(), their_outlet.fileno(), cpu_seconds, wish
            )
        try:
            _send(inlet, data, deadline)
            reply = _receive(outlet, limit, deadline)
        except _Silence:
            outlet.close()  # a child that is still talking ends here
            code = process.exit_code(deadline - time.monotonic())
            raise MediaRefused(CAUSES.get(code or 0, "crashed")) from None
    if process.exit_code(deadline - time.monotonic()) is None:
        raise MediaRefused("too_slow")
    return reply


def _pipe() -> tuple[FileIO, FileIO]:
    reading, writing = os.pipe()
    # Only Linux has it, and not for a user with many pipes: small ones are slower, no worse.
    with suppress(OSError, AttributeError):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return FileIO(reading, "r"), FileIO(writing, "w")


def _send(pipe: FileIO, data: bytes, deadline: float) -> None:
    os.set_blocking(pipe.fileno(), False)
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


def _receive(pipe: FileIO, limit: int, deadline: float) -> Reply:
    os.set_blocking(pipe.fileno(), False)
    header = _read(pipe, lockdown.HEADER.size, deadline)
    magic, bits, length = lockdown.HEADER.unpack(header)
    if magic != lockdown.MAGIC or length > limit:
        raise _Silence
    return Reply(_read(pipe, length, deadline), lockdown.decode(bits))


def _read(pipe: FileIO, length: int, deadline: float) -> bytearray:
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


def _wait(pipe: FileIO, event: int, deadline: float) -> None:
    poller = select.poll()
    poller.register(pipe, event)
    if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise MediaRefused("too_slow")
