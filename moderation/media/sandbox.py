"""Run a program on some bytes in a process that can do nothing else (T-43, T-44)."""

import fcntl
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    with conversation(
        program, data, wish=wish, cpu_seconds=cpu_seconds, wall_seconds=wall_seconds
    ) as talk:
        if talk.length > reply_limit:
            raise MediaRefused("crashed")
        return Reply(talk.hear(talk.length), talk.protections)


class Conversation:
    """A program's answer, read piece by piece: the program waits while nobody reads."""

    length: int  # as announced; answers.UNTIL_DONE if only the pieces tell
    protections: frozenset[str]

    def __init__(self, process: warm.Warm, outlet: FileIO, seconds: float) -> None:
        self._process = process
        self._outlet = outlet
        self._left = seconds

    def say(self, inlet: FileIO, data: bytes) -> None:
        with self._patience() as deadline:
            _send(inlet, data, deadline)

    def begin(self) -> None:
        header = self.hear(lockdown.HEADER.size)
        magic, bits, self.length = lockdown.HEADER.unpack(header)
        if magic != lockdown.MAGIC:
            raise MediaRefused("crashed")
        self.protections = lockdown.decode(bits)

    def hear(self, length: int) -> bytearray:
        """The next `length` bytes.

        :raises MediaRefused: `too_slow`, `out_of_memory` or `crashed`.
        """
        with self._patience() as deadline:
            return _read(self._outlet, length, deadline)

    def end(self) -> None:
        with self._patience() as deadline:
            if self._process.exit_code(deadline - time.monotonic()) is None:
                raise MediaRefused("too_slow")

    @contextmanager
    def _patience(self) -> Iterator[float]:
        """Only waiting counts: a program is not slow because its listener thinks between two pieces."""
        deadline = time.monotonic() + self._left
        try:
            yield deadline
        except _Silence:
            self._outlet.close()  # a child that is still talking ends here
            code = self._process.exit_code(deadline - time.monotonic())
            raise MediaRefused(CAUSES.get(code or 0, "crashed")) from None
        finally:
            self._left = deadline - time.monotonic()


@contextmanager
def conversation(
    program: Path,
    data: bytes,
    *,
    wish: bytes,
    cpu_seconds: int,
    wall_seconds: float,
) -> Iterator[Conversation]:
    """As `run`, for an answer too large to hold: whoever leaves before its end ends the process.

    :raises MediaRefused: `too_slow`, `out_of_memory` or `crashed`.
    """
    process = warm.take(program)
    try:
        outlet, their_outlet = _pipe()
        with outlet:
            talk = Conversation(process, outlet, wall_seconds)
            inlet = _start(process, their_outlet, wish, cpu_seconds)
            with inlet:
                talk.say(inlet, data)
            talk.begin()
            yield talk
        talk.end()
    except BaseException:
        process.end()  # who made a child fail does not meet the same memory layout again
        raise
    warm.give_back(process)


def _start(
    process: warm.Warm, their_outlet: FileIO, wish: bytes, cpu_seconds: int
) -> FileIO:
    their_inlet, inlet = _pipe()
    with their_inlet, their_outlet:
        process.start_job(
            their_inlet.fileno(), their_outlet.fileno(), cpu_seconds, wish
        )
    return inlet


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


def _read(pipe: FileIO, length: int, deadline: float) -> bytearray:
    os.set_blocking(pipe.fileno(), False)
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
