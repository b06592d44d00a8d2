"""The list of a partner in the form of NCMEC's hash sharing, version 2: XML, with deletions that every client knows.

Only written here, never read: what a partner has to say comes through the other protocol.
"""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from moderation.api.exchange_keys import BasicKey
from moderation.api.view import ApiView
from moderation.models.partners import Scope
from moderation.services import sharing

_SPACE: Final = "https://hashsharing.ncmec.org/hashsharing/v2"
_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
PAGE: Final = 1000
# Members have numbers in this protocol: this house, and whoever asks.
_US, _YOU = ("1", "Not Without My Consent"), "2"
# Nothing changed before 1970, and nothing that changes after the year 3000 is asked for today.
_NEVER: Final = 32_503_680_000
_BLOCKS: Final = {"pdq": "image", "md5": "video"}


class NCMECView(ApiView):
    authentication_classes = [BasicKey]
    required_scope = Scope.EXCHANGE_READ
    http_method_names = ["get", "head"]
    schema = None

    def perform_content_negotiation(
        self, request: Request, force: bool = False
    ) -> tuple[Any, str]:
        """The answer is XML, whatever was asked for; only a refusal is JSON."""
        return super().perform_content_negotiation(request, force=True)


class Status(NCMECView):
    def get(self, request: Request) -> HttpResponse:
        root = ET.Element("status", xmlns=_SPACE)
        _member(root, _YOU, self.request.auth.platform.name)
        return _answer(root)


class Members(NCMECView):
    def get(self, request: Request) -> HttpResponse:
        root = ET.Element("members", xmlns=_SPACE)
        _member(root, *_US)
        _member(root, _YOU, self.request.auth.platform.name)
        return _answer(root)


class Entries(NCMECView):
    cost = 5

    def get(self, request: Request) -> HttpResponse:
        now = timezone.now()
        since = _moment(request, "from", 0)
        until = _moment(request, "to", int(now.timestamp()))
        span = sharing.read_range(
            partner=self.request.auth.platform,
            since=since,
            until=until,
            place=request.query_params.get("after", ""),
            size=PAGE,
            now=now,
        )
        root = ET.Element("queryResult", xmlns=_SPACE)
        if span.next_place:
            paging = ET.SubElement(root, "paging")
            ET.SubElement(paging, "next").text = _next(request, since, until, span)
        for signal_type, kind in _BLOCKS.items():
            lines = [line for line in span.lines if line.signal_type == signal_type]
            if lines:
                _block(root, kind, lines)
        return _answer(root)


def _moment(request: Request, name: str, default: int) -> int:
    """
    :raises rest_framework.exceptions.ValidationError: if it is not a time.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
        told = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(0, int(told.timestamp())), _NEVER)
    except (ValueError, OverflowError):
        raise ValidationError({name: ["A time like 2026-01-31T12:00:00Z."]}) from None


def _next(request: Request, since: int, until: int, span: sharing.Range) -> str:
    """Where the next page is, below the client's base address. ``start`` and ``max`` let it guess how much there is."""
    told = request.query_params.get("start", "")
    start = int(told) if told.isascii() and told.isdigit() and len(told) < 12 else 1
    asked = {
        "from": _time(since),
        "to": _time(until),
        "start": start + PAGE,
        "size": PAGE,
        "max": span.total,
        "after": span.next_place,
    }
    return f"/v2/entries?{urlencode(asked)}"


def _block(root: ET.Element, kind: str, lines: list[sharing.Line]) -> None:
    last = max(line.second for line in lines)
    about = {"count": str(len(lines)), "maxTimestamp": _time(last)}
    block = ET.SubElement(root, f"{kind}s", about)
    for line in lines:
        _entry(block, kind, line)


def _entry(block: ET.Element, kind: str, line: sharing.Line) -> None:
    """A deleted entry is its name alone: whoever has it, has what it named."""
    tag = kind if line.is_live else f"deleted{kind.title()}"
    entry = ET.SubElement(block, tag)
    _member(entry, *_US)
    ET.SubElement(entry, "timestamp").text = _time(line.second)
    ET.SubElement(entry, "id").text = line.public_id
    if line.is_live:
        said = "CONFIRMED" if line.is_confirmed else "CLAIMED"
        ET.SubElement(entry, "classification").text = f"NCII_{said}"
        prints = ET.SubElement(entry, "fingerprints")
        ET.SubElement(prints, line.signal_type).text = line.value.hex()


def _member(parent: ET.Element, number: str, name: str) -> None:
    ET.SubElement(parent, "member", id=number).text = name


def _time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime(_FORMAT)


def _answer(root: ET.Element) -> HttpResponse:
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return HttpResponse(text, content_type="application/xml; charset=utf-8")
