"""The embedded broker: Celery messages as files, for machines without Redis.

Kombu's own `filesystem://` transport reads files that are still being written, moves
each message through the shared temporary folder, and keeps a routing table on disk that
two processes can spoil. Here a message appears whole or not at all, is taken by exactly
one consumer, and never leaves its private folder.

    TRANSPORT_ALIASES["safefs"] = "config.safefs:Transport"
    broker_url = "safefs://localhost"
    broker_transport_options = {"data_folder": "<path>", "polling_interval": 0.05}

What a killed consumer held (its prefetch) is gone: the rows in the database say what is
still to do, and beat rings again for them.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import time
import uuid
from collections import deque
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import OperationalError
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

UNREADABLE = "unreadable"
QUEUE_NAME = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]*")
REQUIRED = {"body", "headers", "properties", "content-type", "content-encoding"}


def private_folder(path: Path) -> Path:
    """The folder, made if needed; who can write here can give orders to the workers.

    :raises OperationalError: if it cannot be made, or other users could enter it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
    except OSError as error:
        raise OperationalError(f"The queue folder {path} cannot be used.") from error
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise OperationalError(f"The queue folder {path} must be ours alone (0700).")
    return path


def parse(raw: bytes) -> dict[str, Any]:
    """Read one stored message.

    :raises ValueError: if these bytes are nothing that a channel can deliver.
    """
    message = loads(raw.decode())
    if not isinstance(message, dict) or not message.keys() >= REQUIRED:
        raise ValueError("not a message")
    properties = message["properties"]
    needed = {"delivery_tag", "delivery_info"}
    if not isinstance(properties, dict) or not properties.keys() >= needed:
        raise ValueError("not a message")
    return message


class Channel(virtual.Channel):
    """One folder for each queue; names sort by the time of sending."""

    supports_fanout = False

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._folder = Path(connection.client.transport_options["data_folder"])
        self._listed: dict[str, deque[str]] = {}

    def _queue_folder(self, queue: str) -> Path:
        if not QUEUE_NAME.fullmatch(queue) or queue == UNREADABLE:
            raise OperationalError(f"Not a queue name: {queue!r}")
        return private_folder(private_folder(self._folder) / queue)

    def _names(self, queue: str) -> list[str]:
        names = os.listdir(self._queue_folder(queue))  # noqa: PTH208 - names only, once a poll
        return sorted(name for name in names if not name.startswith("."))

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        """:raises OperationalError: if the message could not be stored."""
        folder = self._queue_folder(queue)
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}.json"
        hidden = folder / f".{name}"
        try:
            # No fsync: a message lost with the power is sent again by the sweeper.
            hidden.write_bytes(dumps(message).encode())
            hidden.replace(folder / name)
        except OSError as error:
            hidden.unlink(missing_ok=True)
            raise OperationalError("The message could not be stored.") from error

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        """:raises Empty: if nothing waits."""
        folder = self._queue_folder(queue)
        # One listing serves until used up: a new one for each message is quadratic.
        listed = self._listed.get(queue) or deque(self._names(queue))
        self._listed[queue] = listed
        while listed:
            path = folder / listed.popleft()
            try:
                raw = path.read_bytes()
                message = parse(raw)
                path.unlink()  # the claim: of all who read it, one succeeds
            except FileNotFoundError:
                continue  # another consumer was quicker
            except (ValueError, PermissionError, IsADirectoryError):
                self._set_aside(path)
                continue
            return message
        raise Empty

    def _set_aside(self, path: Path) -> None:
        aside = private_folder(self._folder / UNREADABLE)
        try:
            path.rename(aside / f"{path.parent.name}-{path.name}")
        except FileNotFoundError:
            return  # another consumer has done so
        logger.error("message.unreadable")

    def _size(self, queue: str) -> int:
        return len(self._names(queue))

    def _purge(self, queue: str) -> int:
        self._listed.pop(queue, None)
        names = self._names(queue)
        for name in names:
            (self._queue_folder(queue) / name).unlink(missing_ok=True)
        return len(names)

    def _delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)


class Transport(virtual.Transport):
    """What `safefs://` names. No fanout, hence no remote control of workers."""

    Channel = Channel
    # Bindings live in the code, not in the folder: every process declares the same.
    global_state = virtual.BrokerState()
    default_port = 0
    driver_type = "filesystem"
    driver_name = "safefs"

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.state = self.global_state

    def driver_version(self) -> str:
        return "1"
