"""A small site that serves the device page as the hub must, and remembers every request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
PAGES = Path(__file__).parent / "pages"
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
}

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types hasher"
)
WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'none'"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: str
    body: bytes

    @property
    def fields(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass
class Site:
    """Change `worker_*` before a page is opened to see what a mistake would do."""

    address: str
    requests: list[Request] = field(default_factory=list)
    worker_policy: str | None = WORKER_POLICY
    worker_prefix: str = ""
    has_worker: bool = True
    elsewhere: str = "/elsewhere"

    @property
    def sent(self) -> list[Request]:
        return [request for request in self.requests if request.method != "GET"]

    def find(self, path: str) -> tuple[Path, str | None] | None:
        """The file behind a path, and the policy that it is served with."""
        if path.startswith("/device/") and self.has_worker:
            return STATIC / "victims" / path.removeprefix(
                "/device/"
            ), self.worker_policy
        if path.startswith("/static/"):
            return STATIC / path.removeprefix("/static/"), None
        if path.endswith(".html"):
            return PAGES / path.removeprefix("/"), PAGE_POLICY
        return None


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        self.remember(b"")
        if self.path == "/leave/":
            return self.answer(303, location=self.site.elsewhere)
        if self.path == "/elsewhere":
            return self.answer(200, b"Weather", ".html")
        found = self.site.find(self.path)
        if found is None or not found[0].is_file():
            return self.answer(404)
        file, policy = found
        body = file.read_bytes()
        if file.name == "hasher-worker.js":
            body = self.site.worker_prefix.encode() + body
        return self.answer(200, body, file.suffix, policy)

    def do_POST(self) -> None:
        self.remember(self.rfile.read(int(self.headers.get("content-length", 0))))
        self.answer(200, b"Received", ".html", PAGE_POLICY)

    def remember(self, body: bytes) -> None:
        request = Request(self.command, self.path, str(self.headers), body)
        self.site.requests.append(request)

    def answer(
        self,
        status: int,
        body: bytes = b"",
        suffix: str = ".html",
        policy: str | None = None,
        location: str | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", TYPES[suffix])
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "same-origin")
        if policy:
            self.send_header("Content-Security-Policy", policy)
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def serve() -> Iterator[Site]:
    handler = type("SiteHandler", (Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_port}")
        handler.site = site
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}
        )
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
