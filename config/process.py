"""What every process of ours does first: no core dumps, and its memory is nobody else's to read (T-43)."""

import ctypes
import resource
import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def close_memory() -> None:
    """RLIMIT_CORE 0, and on Linux PR_SET_DUMPABLE 0: a decoder that broke out could not read its parent's keys."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
