"""Files that only this process's user may read: written whole or not at all, never through a symbolic link."""

import fcntl
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

OTHERS: Final = 0o077
NO_LINK: Final = os.O_NOFOLLOW | os.O_CLOEXEC


class Exposed(Exception):  # noqa: N818
    """Someone else could read or replace this; it is not used."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` when the block ends well.

    One writer in a directory at a time; what a writer that was killed has left is deleted by the next.

    :raises Exposed: if the directory is not this user's alone.
    """
    part = f".{path.name}.part"
    with _locked_directory(path.parent) as directory:
        _unlink(part, directory)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK
        try:
            descriptor = os.open(part, flags, 0o600, dir_fd=directory)
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path.name, src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(directory)
        finally:
            _unlink(part, directory)


def mapped(path: Path) -> mmap.mmap:
    """The whole file in memory, read-only, shared with every process that maps it, and left out of core dumps.

    :raises Exposed: if it is not this user's own, private, regular and not empty.
    :raises OSError: ELOOP if it is a symbolic link.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | NO_LINK)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or not _is_own(about) or not about.st_size:
            raise Exposed(f"{path} must be a file of mode 0600 of this process's user.")
        data = mmap.mmap(descriptor, about.st_size, prot=mmap.PROT_READ)
    finally:
        os.close(descriptor)
    if hasattr(mmap, "MADV_DONTDUMP"):
        data.madvise(mmap.MADV_DONTDUMP)
    return data


@contextmanager
def _locked_directory(path: Path) -> Iterator[int]:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | NO_LINK)
    try:
        if not _is_own(os.fstat(directory)):
            raise Exposed(f"{path} must be of mode 0700 and of this process's user.")
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield directory
    finally:
        os.close(directory)


def _is_own(about: os.stat_result) -> bool:
    return about.st_uid == os.geteuid() and not about.st_mode & OTHERS


def _unlink(name: str, directory: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)
