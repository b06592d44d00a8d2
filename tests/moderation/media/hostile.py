"""A program for the sandbox that misbehaves as it is told; `data` is JSON."""

import ctypes
import importlib
import json
import mmap
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from moderation.media.jailed.answers import UNTIL_DONE

MEGABYTE = 1 << 20
EXECUTABLE = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
PRELOADED = ctypes.CDLL(None, use_errno=True)


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def attempts(parent: int, key_file: str) -> dict[str, Callable[[], object]]:
    return {
        "read the parent's environment": lambda: Path(
            f"/proc/{parent}/environ"
        ).read_bytes(),
        "read the parent's memory": lambda: Path(f"/proc/{parent}/mem").open("rb"),
        "read a key file": lambda: Path(key_file).read_bytes(),
        "read its own program": lambda: Path(__file__).read_bytes(),
        "list a folder": lambda: os.listdir("/"),  # noqa: PTH208
        "look for a file": lambda: os.stat(key_file),  # noqa: PTH116
        "write a file": lambda: Path(key_file).with_name("out").write_bytes(b"x"),
        "open a socket": lambda: socket.socket(),
        "open a local socket": lambda: socket.socket(socket.AF_UNIX),
        "fork": fork,
        "start a program": lambda: subprocess.run(["/bin/true"], check=True),
        "signal the parent": lambda: os.kill(parent, signal.SIGTERM),
        "trace the parent": lambda: failing(PRELOADED.ptrace(16, parent, 0, 0)),
        "run written memory": lambda: mmap.mmap(-1, 4096, prot=EXECUTABLE),
        "import a module": lambda: importlib.import_module("colorsys"),
    }


def failing(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def probe(parent: int, key_file: str) -> bytes:
    done = []
    for name, attempt in attempts(parent, key_file).items():
        try:
            attempt()
        except (OSError, ImportError):
            continue
        done.append(name)
    return json.dumps(done).encode()


def spin() -> bytes:
    while True:
        pass


def devour() -> bytes:
    return bytes(800 * 1024 * 1024)


def crash() -> bytes:
    return ctypes.c_char.from_address(8).value  # an address that nobody owns


def environment() -> bytes:
    return json.dumps(dict(os.environ)).encode()


def readable(descriptor: int) -> bytes:
    try:
        os.read(descriptor, 1)
    except OSError:
        return b"false"
    return b"true"


def talk(pieces: int) -> Iterable[bytes]:
    """Piece after piece of 1 MB, each of one number; then the end, or a crash where it says so."""
    for number in range(pieces):
        yield bytes([number % 256]) * MEGABYTE


def answer(data: bytes, _wish: bytes) -> tuple[int, Iterable[bytes]]:
    order = json.loads(data)
    if order["do"] == "talk":
        return UNTIL_DONE, talk(*order["with"])
    if order["do"] == "lie":
        return order["length"], [b"four"]
    body = globals()[order["do"]](*order.get("with", []))
    return len(body), [body]
