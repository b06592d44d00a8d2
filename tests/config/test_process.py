"""The memory of a process that holds keys cannot be dumped, or read by others of the same user."""

import subprocess
import sys

import pytest

_PROBE = (
    "import {module}, ctypes, resource;{more}"
    "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))"
)


@pytest.mark.parametrize(
    ("module", "more"),
    [
        ("config.wsgi", ""),
        (
            "config.celery",
            "from celery.signals import worker_process_init as s;s.send(0);",
        ),
    ],
)
def test_it_is_closed_when_the_process_starts(module, more):
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(module=module, more=more)],
        capture_output=True,
        text=True,
        check=True,
        env={"EMBEDDED": "1", "PATH": ""},
    )

    assert done.stdout.splitlines()[-1] == "0 (0, 0)"
