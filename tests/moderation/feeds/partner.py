"""A partner's end of an exchange: a real HTTP server on this machine that speaks StopNCII's and NCMEC's protocols."""

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

from tests.moderation.platforms.receiver import Quiet

Reply = Callable[["Partner", str, dict[str, str]], tuple[int, bytes] | None]


@dataclass
class Partner:
    """``records`` is a StopNCII list, ``entries`` an NCMEC one; ``reply`` answers in their place, for a bad day."""

    page_size: int = 3
    records: list[Any] = field(default_factory=list)
    entries: list[tuple[int, str]] = field(default_factory=list)
    reply: Reply | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    tls: tuple[Path, Path] | None = None

    def open(self) -> None:
        self._server = Quiet(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        if self.tls:
            self.trust = ssl.create_default_context(cafile=str(self.tls[0]))
            served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            served.load_cert_chain(*self.tls)
            self._server.socket = served.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(
        self, value: str, status: str = "Active", at: int = 100, **more: Any
    ) -> None:
        """A record as StopNCII has it; one with the same value takes the place of the older one."""
        self.records = [r for r in self.records if r["hashValue"] != value]
        self.records.append(
            {
                "lastModtimestamp": at,
                "signalType": "ImagePDQ",
                "hashValue": value,
                "hashStatus": status,
                "caseNumbers": {"case": status},
                "CSPFeedbacks": [],
                **more,
            }
        )

    def enter(self, at: int, xml: str) -> None:
        """An entry as NCMEC has it, changed at this second."""
        self.entries.append((at, xml))

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        self.asked.append((path, query))
        told = self.reply(self, path, query) if self.reply else None
        if told is not None:
            return told
        if path.endswith("/FetchHashes"):
            return 200, json.dumps(self.hashes(query)).encode()
        if path == "/v2/entries":
            return 200, self.xml(query)
        return 404, b""

    def hashes(self, query: dict[str, str]) -> dict[str, Any]:
        start = int(query["startTimestamp"])
        found = sorted(
            (r for r in self.records if r["lastModtimestamp"] >= start),
            key=lambda r: r["lastModtimestamp"],
        )
        begin = int(query.get("nextPageToken", "at.0").removeprefix("at."))
        page, rest = (
            found[begin : begin + self.page_size],
            found[begin + self.page_size :],
        )
        return {
            "count": len(page),
            "nextPageToken": f"at.{begin + self.page_size}" if rest else None,
            "nextSetTimestamp": max([start, *(r["lastModtimestamp"] for r in page)]),
            "hasMoreRecords": bool(rest),
            "hashRecords": page,
        }

    def xml(self, query: dict[str, str]) -> bytes:
        start, end = (_second(query[name]) for name in ("from", "to"))
        found = [xml for at, xml in self.entries if start <= at < end]
        begin = int(query.get("start", 0))
        page = found[begin : begin + self.page_size]
        after = begin + self.page_size
        paging = ""
        if after < len(found):
            more = f"from={query['from']}&amp;to={query['to']}&amp;start={after}"
            more += f"&amp;size={self.page_size}&amp;max={len(found)}"
            paging = f"<paging><next>/v2/entries?{more}</next></paging>"
        blocks = "".join(
            f'<{name}s maxTimestamp="2026-01-01T00:00:00Z">{"".join(some)}</{name}s>'
            for name in ("image", "video")
            if (some := [xml for xml in page if f"{name}>" in xml.lower()])
        )
        space = "https://hashsharing.ncmec.org/hashsharing/v2"
        return f'<queryResult xmlns="{space}">{paging}{blocks}</queryResult>'.encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        partner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {
                    name: values[0] for name, values in parse_qs(parts.query).items()
                }
                partner.headers.append(dict(self.headers.items()))
                status, body = partner.answer(parts.path, query)
                self.send_response(status)
                about = {"Content-Length": str(len(body)), **partner.sent}
                self.close_connection = partner.hangs_up
                for name, value in about.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _second(text: str) -> int:
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return int(at.timestamp())


def image(id: str, *, pdq: str = "", md5: str = "", member: str = "42") -> str:
    prints = f"<pdq>{pdq}</pdq>" if pdq else ""
    prints += f"<md5>{md5}</md5>" if md5 else ""
    return _entry("image", id, member, f"<fingerprints>{prints}</fingerprints>")


def video(id: str, md5: str) -> str:
    prints = f"<fingerprints><md5>{md5}</md5></fingerprints>"
    return _entry("video", id, "42", prints)


def deleted(id: str, member: str = "42") -> str:
    return _entry("deletedImage", id, member, "")


def _entry(tag: str, id: str, member: str, inside: str) -> str:
    who = f'<member id="{member}">A member</member>'
    when = "<timestamp>2026-01-01T00:00:00Z</timestamp>"
    text = f"<{tag}>{who}{when}<id>{id}</id>{inside}</{tag}>"
    ET.fromstring(text)  # noqa: S314
    return text
