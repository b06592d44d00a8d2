"""For the one order of locks: what a deed holds while it waits for a row that somebody else has (PostgreSQL)."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from moderation.models import AuditHead


class _Actor(threading.Thread):
    """Does the deed on a connection of its own."""

    def __init__(self, deed: Callable[[], object]) -> None:
        super().__init__()
        self._deed = deed
        self.failure: Exception | None = None
        self.backend = 0

    def run(self) -> None:
        try:
            connection.ensure_connection()
            self.backend = connection.connection.info.backend_pid
            self._deed()
        except Exception as failure:
            self.failure = failure
        finally:
            connection.close()


def holds_record_while_waiting_for(
    rows: QuerySet[Any], deed: Callable[[], object]
) -> bool:
    """Keep the rows locked while another connection does the deed: does it wait with the record in its hands?

    Whoever has one of the rows asks for the record last: a deed that held it would wait for them, and they for it.
    """
    AuditHead.objects.get_or_create(stream="record")
    actor = _Actor(deed)
    with transaction.atomic():
        assert list(rows.select_for_update(of=("self",)))
        actor.start()
        _until_it_waits_or_is_done(actor)
        held = _is_held()
    actor.join(timeout=30)
    assert not actor.is_alive()
    assert actor.failure is None, actor.failure
    return held


def _until_it_waits_or_is_done(actor: _Actor) -> None:
    until = time.monotonic() + 30
    with connection.cursor() as cursor:
        while actor.is_alive():
            assert time.monotonic() < until
            cursor.execute("SELECT pg_blocking_pids(%s) <> '{}'", [actor.backend])
            if cursor.fetchone()[0]:
                return
            actor.join(timeout=0.01)


def _is_held() -> bool:
    try:
        with transaction.atomic():
            AuditHead.objects.select_for_update(nowait=True).get(stream="record")
    except DatabaseError:
        return True
    return False
