"""Waiting processes save the start of Python, and are nobody's way from one job to the next."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from moderation.media import MediaRefused, decode, warm
from moderation.media.decode import PROGRAM
from tests.moderation.media.files import saved, shipped
from tests.moderation.media.test_sandbox import HOSTILE, ask

DATA = saved(shipped().crop((0, 0, 40, 30)), "PNG")


@pytest.fixture(autouse=True)
def _nobody_waits() -> Iterator[None]:
    warm.end_all()
    yield
    warm.end_all()


def waiting(program: object = PROGRAM) -> int:
    """The process that would do the next job."""
    process = warm.take(program)
    warm.give_back(process)
    return process.process.pid


class TestWaiting:
    def test_does_one_job_after_another(self) -> None:
        before = waiting()
        decode(DATA)
        decode(DATA)

        assert waiting() == before

    def test_ends_after_enough_jobs(self) -> None:
        before = waiting()
        process = warm.take(PROGRAM)
        process.jobs = warm.MAX_JOBS
        warm.give_back(process)

        assert waiting() != before
        assert process.process.returncode is not None

    @pytest.mark.parametrize("end", ["crash", "devour", "no such order"])
    def test_ends_with_a_child_that_failed(self, end: str) -> None:
        before = waiting(HOSTILE)
        with pytest.raises(MediaRefused):
            ask(end)

        assert waiting(HOSTILE) != before

    def test_goes_on_after_a_refused_picture(self) -> None:
        before = waiting()
        with pytest.raises(MediaRefused):
            decode(DATA[:60])

        assert waiting() == before

    def test_is_replaced_when_somebody_killed_it(self) -> None:
        before = waiting()
        os.kill(before, signal.SIGKILL)
        os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)

        assert decode(DATA).kind == "png"
        assert waiting() != before

    def test_is_one_for_each_program(self) -> None:
        assert waiting(HOSTILE) != waiting(PROGRAM)

    def test_serves_many_threads_and_keeps_few(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            kinds = list(pool.map(lambda _: decode(DATA).kind, range(24)))

        assert kinds == ["png"] * 24
        assert len(warm._idle) <= warm.MAX_IDLE


FORKING = """
import os, sys
from moderation.media import decode, warm
from moderation.media.decode import PROGRAM

def waiting():
    process = warm.take(PROGRAM)
    warm.give_back(process)
    return process.process.pid

data = sys.stdin.buffer.read()
before = waiting()
child = os.fork()
if child == 0:
    has_its_own = waiting() != before and decode(data).kind == "png"
    warm.end_all()
    os._exit(0 if has_its_own else 1)
assert os.waitpid(child, 0)[1] == 0, "the child uses ours"
assert waiting() == before, "the child ended ours"
assert decode(data).kind == "png"
"""


def test_a_forked_worker_has_its_own_and_leaves_ours_alone() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FORKING], input=DATA, capture_output=True
    )

    assert ended.returncode == 0, ended.stderr


def test_nothing_waits_for_a_parent_that_is_gone() -> None:
    code = "from moderation.media import warm; from moderation.media.decode import PROGRAM;"
    code += "p = warm.take(PROGRAM); print(p.process.pid, flush=True); import os; os._exit(0)"

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True)

    pid = int(ended.stdout)
    with suppress(ProcessLookupError):
        gone = select.poll()
        gone.register(os.pidfd_open(pid), select.POLLIN)
        assert gone.poll(10_000)
