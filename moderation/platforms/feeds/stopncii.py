"""Lists that speak StopNCII's protocol: StopNCII.org itself, and hubs like this one.

The package's exchange type never sees a withdrawal (it compares the hash with the status), so its client is used
without it, and what a status means is decided here. The client also quotes records that it can't read in its log:
it never gets to see one.
"""

import enum
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import requests
from threatexchange.exchanges.clients.stopncii.api import (
    FetchHashesResponse,
    StopNCIIAPI,
    StopNCIICaseStatus,
    StopNCIIEndpoint,
    StopNCIIHashRecord,
    StopNCIISignalType,
)

from moderation.platforms.base import PlatformError
from moderation.platforms.feeds.base import (
    Page,
    Place,
    Record,
    digest,
    malformed,
    needed,
)
from moderation.platforms.feeds.door import Door, named_errors
from moderation.platforms.outbound import Wire

_TYPES: Final = {
    StopNCIISignalType.ImagePDQ: "pdq",
    StopNCIISignalType.VideoMD5: "md5",
}
_GONE: Final = {StopNCIICaseStatus.Withdrawn, StopNCIICaseStatus.Deleted}
_KNOWN: Final = {StopNCIICaseStatus.Active, StopNCIICaseStatus.Received, *_GONE}
# The names of its pages are "not valid over long periods of time".
_TOKEN_SECONDS: Final = 3600
_TOKEN: Final = re.compile(r"[!-~]{1,500}")
_DAY: Final = 24 * 3600
_MOST_PAGES: Final = 20_000


class StopNCII:
    """A place is ``start``, a time in seconds, and inside a longer answer ``page``, ``page_at`` and ``pages``."""

    def __init__(
        self,
        credentials: Mapping[str, str],
        address: str,
        *,
        is_open: bool = False,
        wire: Wire | None = None,
    ) -> None:
        door = Door(address, is_open, wire or Wire())
        subscription, fetch = needed(credentials, "subscription_key", "fetch_key")
        self._api = _Client(subscription, fetch, door)

    def page(self, place: Place, now: datetime) -> Page:
        """
        :raises PlatformError: see ``named_errors`` and ``Door``; `page_malformed`, `rewound` or `endless`.
        """
        second = int(now.timestamp())
        start = int(place.get("start", StopNCIIAPI.DEFAULT_START_TIME))
        is_fresh = second - int(place.get("page_at", 0)) <= _TOKEN_SECONDS
        token = str(place.get("page", "")) if is_fresh else ""
        with named_errors():
            answer = self._api.fetch_hashes(start_timestamp=start, next_page=token)
        pages = int(place.get("pages", 0)) + 1 if token else 1
        following = _following(answer, start, token, second, pages)
        records, refused = _records(answer.hashRecords)
        return Page(
            records,
            following,
            is_last=not answer.hasMoreRecords,
            refused_count=refused + self._api.refused_count,
        )


def _following(
    answer: FetchHashesResponse, start: int, token: str, second: int, pages: int
) -> Place:
    if not answer.hasMoreRecords:
        if answer.nextSetTimestamp < start:
            raise PlatformError("rewound", retryable=True)
        if answer.nextSetTimestamp > second + _DAY:
            raise malformed()  # from there on nothing would ever be seen again
        return {"start": answer.nextSetTimestamp}
    following = answer.nextPageToken or ""
    if not _TOKEN.fullmatch(following):
        raise malformed()
    if following == token or pages >= _MOST_PAGES:
        raise PlatformError("endless", retryable=True)
    return {"start": start, "page": following, "page_at": second, "pages": pages}


def _records(found: list[StopNCIIHashRecord]) -> tuple[tuple[Record, ...], int]:
    records = [_record(each) for each in found]
    good = tuple(record for record in records if record is not None)
    return good, len(records) - len(good)


def _record(found: StopNCIIHashRecord) -> Record | None:
    signal_type, value = _TYPES.get(found.signalType), digest(found.hashValue)
    if signal_type is None or value is None or found.hashStatus not in _KNOWN:
        return None
    key = f"{signal_type}:{found.hashValue}"
    cases = set(found.caseNumbers.values())
    if found.hashStatus in _GONE or (cases and cases <= _GONE):
        return Record(key)
    return Record(key, ((signal_type, value),))


class _Quiet(dict[str, Any]):
    """An answer that says nothing of itself: the client logs what it was given."""

    def __repr__(self) -> str:
        return f"<an answer of {len(self)} fields>"

    __str__ = __repr__


class _Client(StopNCIIAPI):
    def __init__(self, subscription_key: str, fetch_key: str, door: Door) -> None:
        super().__init__(subscription_key, fetch_key, base_url_override=door.base)
        self._door = door
        self.refused_count = 0

    def _get_session(self, endpoint: StopNCIIEndpoint) -> requests.Session:
        return self._door.guard(super()._get_session(endpoint))

    def _get(self, endpoint: StopNCIIEndpoint, **params: Any) -> _Quiet:
        answer = super()._get(endpoint, **params)
        if not _is_page(answer):
            raise malformed()
        good = [each for each in map(_normal, answer["hashRecords"]) if each]
        self.refused_count = len(answer["hashRecords"]) - len(good)
        return _Quiet({**answer, "hashRecords": good})


def _is_page(answer: object) -> bool:
    return (
        isinstance(answer, dict)
        and type(answer.get("count")) is int
        and type(answer.get("nextSetTimestamp")) is int
        and type(answer.get("hasMoreRecords")) is bool
        and isinstance(answer.get("nextPageToken"), str | None)
        and isinstance(answer.get("hashRecords"), list)
    )


def _normal(record: object) -> dict[str, Any] | None:
    """The fields that we use, if each is of its type: what the client reads without a complaint."""
    if not isinstance(record, dict):
        return None
    cases = record.get("caseNumbers") or {}
    if not isinstance(cases, dict) or type(record.get("lastModtimestamp")) is not int:
        return None
    words = [record.get("hashStatus"), *cases.values()]
    if not all(_is_one_of(StopNCIICaseStatus, word) for word in words):
        return None
    if not _is_one_of(StopNCIISignalType, record.get("signalType")):
        return None
    if not isinstance(record.get("hashValue"), str):
        return None
    used = ("lastModtimestamp", "signalType", "hashValue", "hashStatus")
    return {**{name: record[name] for name in used}, "caseNumbers": cases}


def _is_one_of(kind: type[enum.Enum], word: object) -> bool:
    return isinstance(word, str) and word in {member.value for member in kind}
