"""Lists that speak version 2 of NCMEC's hash sharing protocol.

Its answers are in no order of time: only a range that was read to its end may be left behind. Ranges that hold too much
are cut, as the package's own exchange type does. Its client stops at one bad entry and quotes the whole page in the
error: it gets to see good ones only.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import requests
from threatexchange.exchanges.clients.ncmec.hash_api import (
    GetEntriesResponse,
    NCMECEndpoint,
    NCMECEntryUpdate,
    NCMECEnvironment,
    NCMECHashAPI,
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

_TAGS: Final = {"image", "video", "deletedimage", "deletedvideo"}
_PATH: Final = re.compile(r"/v2/entries\?[!-~]{1,2000}")
_TIME: Final = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z")
# It changes its entries until the last moment.
_SETTLED_SECONDS: Final = 5
# "paging URLs" hold for half a day.
_PATH_SECONDS: Final = 12 * 3600
_MOST_IN_RANGE: Final = 400_000
_FEW: Final = 2 * NCMECHashAPI.ENTRIES_PER_FETCH
_LEAST_SPAN: Final = 60
_CUT: Final = 4
_MOST_PAGES: Final = 20_000


class Ncmec:
    """A place is ``start``, a time in seconds, and ``span``, how long a range to ask for.

    Inside a range there are also ``end``, ``next``, the path of the next page, ``next_at`` and ``pages``.
    """

    def __init__(
        self,
        credentials: Mapping[str, str],
        address: str,
        *,
        is_open: bool = False,
        wire: Wire | None = None,
    ) -> None:
        door = Door(address, is_open, wire or Wire())
        user, password = needed(credentials, "user", "password")
        self._api = _Client(user, password, door)

    def page(self, place: Place, now: datetime) -> Page:
        """
        :raises PlatformError: see ``named_errors`` and ``Door``; `page_malformed` or `endless`.
        """
        second = int(now.timestamp())
        start, last = int(place.get("start", 0)), second - _SETTLED_SECONDS
        if start >= last:
            return Page((), place, is_last=True)
        path = _path(place, second)
        end = int(place["end"]) if path else min(last, start + _span(place, last))
        answer = self._asked(start, end, path)
        if not path and _holds_too_much(answer, end - start):
            cut = max(_LEAST_SPAN, (end - start) // _CUT)
            return Page((), {"start": start, "span": cut}, is_last=False)
        if answer.next:
            pages = int(place.get("pages", 0)) + 1
            within = {"start": start, "span": end - start, "end": end}
            following = {
                **within,
                **_inside(answer, path, pages),
                "next_at": second,
            }
        else:
            few = not path and len(answer.updates) < _FEW
            span = (end - start) * (_CUT if few else 1)
            following = {"start": end, "span": span}
        return Page(
            tuple(map(_record, answer.updates)),
            following,
            is_last=not answer.next and end >= last,
            refused_count=self._api.refused_count + _unreadable(answer.updates),
        )

    def _asked(self, start: int, end: int, path: str) -> GetEntriesResponse:
        with named_errors():
            try:
                return self._api.get_entries(
                    start_timestamp=start, end_timestamp=end, next_=path
                )
            except (PlatformError, requests.RequestException):
                raise
            except Exception:
                # The client raises plain Exception, and the whole page is its message.
                raise malformed() from None


def _path(place: Place, second: int) -> str:
    """The next page, while the partner still knows it by that name; else the range is read again."""
    is_fresh = second - int(place.get("next_at", 0)) <= _PATH_SECONDS
    return str(place.get("next", "")) if is_fresh else ""


def _span(place: Place, last: int) -> int:
    return max(_LEAST_SPAN, int(place.get("span", last)))


def _holds_too_much(answer: GetEntriesResponse, seconds: int) -> bool:
    return bool(
        answer.next
        and seconds > _LEAST_SPAN
        and answer.estimated_entries_in_range > _MOST_IN_RANGE
    )


def _inside(answer: GetEntriesResponse, path: str, pages: int) -> Place:
    if not _PATH.fullmatch(answer.next):
        raise malformed()  # it is glued to the address: "@elsewhere" would be another host
    if answer.next == path or pages >= _MOST_PAGES:
        raise PlatformError("endless", retryable=True)
    return {"next": answer.next, "pages": pages}


def _record(entry: NCMECEntryUpdate) -> Record:
    key = f"{entry.member_id}-{entry.id}"
    if entry.deleted:
        return Record(key)
    found = _prints(entry)
    return Record(key, tuple((kind, value) for kind, value in found if value))


def _prints(entry: NCMECEntryUpdate) -> list[tuple[str, bytes | None]]:
    """What a bank can hold of it: MD5 is written in either case there."""
    return [
        (kind, digest(entry.fingerprints[kind].lower()))
        for kind in ("pdq", "md5")
        if kind in entry.fingerprints
    ]


def _unreadable(entries: Iterable[NCMECEntryUpdate]) -> int:
    return sum(value is None for entry in entries for _, value in _prints(entry))


class _Client(NCMECHashAPI):
    def __init__(self, user: str, password: str, door: Door) -> None:
        super().__init__(user, password, NCMECEnvironment.test_Industry)
        self._base_url = door.base
        self._door = door
        self.refused_count = 0

    def _get_session(self) -> requests.Session:
        session = self._door.guard(super()._get_session())
        session.hooks["response"].append(_plain)
        return session

    def _get(
        self, endpoint: NCMECEndpoint, *, path: str = "", next_: str = "", **params: Any
    ) -> ET.Element:
        root = super()._get(endpoint, path=path, next_=next_, **params)
        self.refused_count = sum(map(_without_bad, _blocks(root)))
        return root


def _plain(response: requests.Response, **_: object) -> None:
    """Before anything parses it: entities can be bombs, and no list needs one."""
    if not response.ok:
        return
    try:
        text = response.content.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed() from None
    # In UTF-16, which is as good as this to the parser, every second byte of a bomb is zero.
    if "<!" in text or "\0" in text:
        raise malformed()


def _blocks(root: ET.Element) -> list[ET.Element]:
    if root.tag != "queryResult":
        raise malformed()
    found = [root.findall(name) for name in ("images", "videos")]
    # The client reads the first block of each kind, and would lose a second one without a word.
    if any(len(blocks) > 1 for blocks in found):
        raise malformed()
    blocks = [block for each in found for block in each]
    for block in blocks:
        if len(block) and not _TIME.fullmatch(block.get("maxTimestamp", "")):
            raise malformed()
    return blocks


def _without_bad(block: ET.Element) -> int:
    """Take out what is no entry; how many there were."""
    bad = [entry for entry in block if not _is_entry(entry)]
    for entry in bad:
        block.remove(entry)
    return len(bad)


def _is_entry(entry: ET.Element) -> bool:
    for feedback in entry.findall("feedback"):
        entry.remove(feedback)
    ids, members = entry.findall("id"), entry.findall("member")
    return (
        entry.tag.lower() in _TAGS
        and len(ids) == len(members) == 1
        and bool(re.fullmatch(r"[!-~]{1,200}", ids[0].text or ""))
        and bool(re.fullmatch(r"[0-9]{1,18}", members[0].get("id", "")))
    )
