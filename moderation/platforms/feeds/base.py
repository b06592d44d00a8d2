"""What every list of a partner gives, whatever its protocol, and how a client of it is found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from django.utils.module_loading import import_string

from moderation.platforms.base import PlatformError

# Where the reading of a list goes on: JSON, understood by the client that made it alone.
Place = dict[str, Any]

_HEX: Final = re.compile(r"(?:[0-9a-f]{2}){1,64}")
_CLIENTS: Final = {
    "STOPNCII": "moderation.platforms.feeds.stopncii.StopNCII",
    "NCMEC": "moderation.platforms.feeds.ncmec.Ncmec",
}


@dataclass(frozen=True, slots=True)
class Record:
    """All that a partner has under one key now; a withdrawn one has no hashes any more.

    ``hashes`` are (signal type, value). The key may be a hash itself.
    """

    key: str = field(repr=False)
    hashes: tuple[tuple[str, bytes], ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Page:
    """What one request gave. ``refused_count``: records that are not as their protocol says, left out."""

    records: tuple[Record, ...]
    place: Place
    is_last: bool
    refused_count: int = 0


class FeedClient(Protocol):
    """Reads a list from any place; to read a page again does no harm."""

    def page(self, place: Place, now: datetime) -> Page:
        """The page at this place; ``{}`` is the beginning.

        :raises PlatformError: if there is no page that can be trusted to be one.
        """


def open_client(
    kind: str, credentials: Mapping[str, str], address: str, *, is_open: bool
) -> FeedClient:
    """Loads what speaks this protocol, in the processes that fetch and in no other.

    :param is_open: see ``Door``.
    :raises PlatformError: `credentials_missing`.
    """
    make = import_string(_CLIENTS[kind])
    client: FeedClient = make(credentials, address, is_open=is_open)
    return client


def needed(credentials: Mapping[str, str], *names: str) -> list[str]:
    """
    :raises PlatformError: `credentials_missing`, unless all of them are there.
    """
    found = [credentials.get(name, "") for name in names]
    if not all(found):
        raise PlatformError("credentials_missing", retryable=False)
    return found


def digest(text: object) -> bytes | None:
    """The bytes of lower-case hex; None for anything else."""
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        return None
    return bytes.fromhex(text)


def malformed() -> PlatformError:
    """The page as a whole is not what the protocol says. Nothing of it is used; it may be right the next time."""
    return PlatformError("page_malformed", retryable=True)
