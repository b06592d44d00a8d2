"""Banks that one machine cannot hold, in collections of a Milvus server that all hosts share (``MILVUS_URI``).

The same as ``snapshots`` does with files: each process has on top of them what changed since, so an answer is never
behind the database, whatever the server's own idea of consistency.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import connection

from moderation.matching import Base, LayeredEngine
from moderation.pipeline import rows
from moderation.pipeline.snapshots import MIN_ROWS
from moderation.pipeline.spaces import checksum_key, ids_of

if TYPE_CHECKING:  # pymilvus is an extra
    from moderation.matching.milvus import MilvusEngine

SPACES: Final = ("pdq", "vpdq")
_LOCK: Final = 0x4E574D43  # whoever has this advisory lock of PostgreSQL writes


@cache
def _collection(space: str, pid: int) -> MilvusEngine:
    module = import_module("moderation.matching.milvus")
    options = {"token": settings.MILVUS_TOKEN} if settings.MILVUS_TOKEN else {}
    if settings.MILVUS_CA_FILE:
        options["server_pem_path"] = settings.MILVUS_CA_FILE
    name = f"{settings.MILVUS_PREFIX}_{space}"
    engine: MilvusEngine = module.MilvusEngine.connect(
        settings.MILVUS_URI, name, checksum_key(), **options
    )
    return engine


def _engine(space: str) -> MilvusEngine:
    engine = _collection(space, os.getpid())
    engine.refresh()
    return engine


def open_all() -> dict[str, Base]:
    """
    :raises EngineUnavailable: if the server does not answer.
    """
    return {space: _engine(space) for space in SPACES}


def mend() -> None:
    """A writer was killed between a change and its record: count what is there."""
    for space in SPACES:
        _engine(space).recount()


def stamp() -> tuple[int, ...]:
    return ()


def is_due(space: str, engine: LayeredEngine) -> bool:
    """What was withdrawn leaves the server with the next look; what is new when it is much."""
    return bool(engine.withdrawn_count) or engine.delta_size > MIN_ROWS


def write(space: str, engine: LayeredEngine, number: int) -> None:
    """Bring the collection up to date from the rows; from the first on, if it could not be used as it is."""
    collection, upto = _engine(space), rows.counter().number
    if collection.number and engine.delta_size == len(engine):
        _clear(collection)
    after = collection.number
    for batch in rows.added(after, upto):
        collection.add(rows.opened(batch, space))
    collection.withdraw(ids_of(space, rows.withdrawn(after, upto)))
    collection.advance(upto)


def _clear(collection: MilvusEngine) -> None:
    """What is there is of a database that was replaced, or not what it says it is."""
    collection.advance(0)
    for part in list(collection.rows()):
        collection.withdraw(part.ids.tolist())


@contextmanager
def writing(*, wait: bool) -> Iterator[bool]:
    """One process of all hosts at a time."""
    if connection.vendor != "postgresql":
        with _on_this_host(wait) as is_mine:
            yield is_mine
        return
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT true FROM pg_advisory_lock(%s)", [_LOCK])
        else:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


@contextmanager
def _on_this_host(wait: bool) -> Iterator[bool]:
    path = Path(settings.VAR_DIR) / "milvus.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(lock)
