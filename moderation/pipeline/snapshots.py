"""Large banks in files that all processes of a host share (T-24): one for each space of hashes.

They are made again from the rows whenever they are missing, damaged or old, so they are in no backup. In production
their directory lies in memory (``BANK_SNAPSHOT_DIR``).
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings

from moderation.matching import (
    LayeredEngine,
    Snapshot,
    SnapshotDamaged,
    write_snapshot,
)
from moderation.pipeline.spaces import checksum_key

_log = structlog.get_logger(__name__)

SPACES: Final = ("pdq", "vpdq")
# Below this, a copy in each process costs less than a file would.
MIN_ROWS: Final = 50_000
# What was withdrawn is out of the file within the hour (T-26), also where little else changes.
_OLD_SECONDS: Final = 1800.0


def path_of(space: str) -> Path:
    return Path(settings.BANK_SNAPSHOT_DIR) / f"{space}.rows"


def open_all() -> dict[str, Snapshot]:
    """The snapshots that are there and whole. A damaged one is as good as none, and somebody should know of it."""
    found = {}
    for space in SPACES:
        try:
            found[space] = Snapshot.open(path_of(space), checksum_key())
        except FileNotFoundError:
            continue
        except SnapshotDamaged as damage:
            _log.error("snapshot_damaged", space=space, detail=str(damage))
    return found


def mend() -> None:
    """A file is whole or damaged: there is nothing to mend, it is written anew."""


def stamp() -> tuple[int, ...]:
    """Changes when a snapshot was replaced."""
    stamps = []
    for space in SPACES:
        with suppress(FileNotFoundError):
            about = path_of(space).stat()
            stamps += [about.st_ino, about.st_mtime_ns]
    return tuple(stamps)


def is_due(space: str, engine: LayeredEngine) -> bool:
    """Too much lies in the memory of each process, or what was withdrawn has been in the file for too long."""
    if engine.delta_size > max(MIN_ROWS, len(engine) // 10):
        return True
    if not engine.withdrawn_count:
        return False
    with suppress(FileNotFoundError):
        return time.time() - path_of(space).stat().st_mtime > _OLD_SECONDS
    return False


def write(space: str, engine: LayeredEngine, number: int) -> None:
    rows = engine.export()
    write_snapshot(
        path_of(space), rows.ids, rows.words, number=number, key=checksum_key()
    )


@contextmanager
def writing(*, wait: bool) -> Iterator[bool]:
    """One process of a host at a time reads the whole bank and writes it down.

    :param wait: until it is this one's turn; otherwise the answer may be False.
    """
    directory = Path(settings.BANK_SNAPSHOT_DIR)
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700, parents=True)
        directory.chmod(0o700)  # whatever the umask of a service takes away
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(directory / "writer", flags, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(lock)
