"""Keep libde265, the HEIC decoder, from starting a thread: in the sandbox nobody may.

libheif asks it for one worker thread with each picture and dies where that is refused; it has no setting against it.
libde265 itself is content without one and then decodes where it is called. So, before any file has arrived, its
function that starts threads is overwritten with one that says "done" and does nothing. On a machine that we do not
know, it stays as it is, and a HEIC is refused as `crashed`.
"""

import ctypes
import mmap
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

# Machine code of `return 0`.
RETURN_ZERO: Final = {
    "x86_64": bytes.fromhex("f30f1efa 31c0 c3"),  # endbr64; xor eax, eax; ret
    "aarch64": bytes.fromhex("00008052 c0035fd6"),  # mov w0, #0; ret
}
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def start_no_worker_threads() -> None:
    """To be called after `pi_heif` is imported."""
    code = RETURN_ZERO.get(os.uname().machine)
    if code is None:
        return
    with suppress(OSError, StopIteration):
        function = ctypes.CDLL(path_of("libde265")).de265_start_worker_threads
        overwrite(ctypes.cast(function, ctypes.c_void_p).value or 0, code)


def path_of(library: str) -> str:
    """Where a library that this process has loaded lies."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return next(line.split(maxsplit=5)[5] for line in lines if library in line)


def overwrite(address: int, code: bytes) -> None:
    pages = address & -mmap.PAGESIZE, 2 * mmap.PAGESIZE
    protect(pages, mmap.PROT_READ | mmap.PROT_WRITE)
    ctypes.memmove(address, code, len(code))
    protect(pages, mmap.PROT_READ | mmap.PROT_EXEC)


def protect(pages: tuple[int, int], access: int) -> None:
    if libc.mprotect(*pages, access) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
