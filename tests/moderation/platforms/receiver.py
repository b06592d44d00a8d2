"""A platform's end of the webhook: a real TLS server on this machine that checks signatures and keeps its own state."""

import datetime
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from moderation.platforms import PlatformError, Target
from moderation.platforms.sandbox import Sandbox

HOST = "hooks.platform.example"
Reply = Callable[[BaseHTTPRequestHandler], None]


class Quiet(ThreadingHTTPServer):
    """Callers that hang up are what these tests are about: no report of each."""

    def handle_error(self, *_: object) -> None:
        pass


class Receiver:
    """``reply`` replaces the honest answer, for a platform that misbehaves."""

    def __init__(self, far: Sandbox, secret: str, folder: Path) -> None:
        self.far = far
        self.secret = secret
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.reply: Reply | None = None
        certificate, key = self_signed(folder)
        self.trust = ssl.create_default_context(cafile=str(certificate))
        served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        served.load_cert_chain(certificate, key)
        self._server = Quiet(("127.0.0.1", 0), self._handler())
        self._server.socket = served.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = self._server.server_address[1]
        # The short poll is how soon shutdown() returns.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append((headers, body))
                if receiver.reply:
                    receiver.reply(self)
                    return
                answer(self, *receiver.honest(headers, body))

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def honest(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            message = Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            return 401, b""
        try:
            state = self._done(message)
        except PlatformError as error:
            if error.code == "account_gone":
                return 200, b'{"state": "DELETED"}'
            return (503 if error.retryable else 409), b""
        return 200, json.dumps({"state": state}).encode()

    def _done(self, message: dict[str, Any]) -> str:
        data = message["data"]
        if message["type"] == "notice.deliver":
            return self.far.notify(
                data["account_id"], data["subject"], data["body"], data["id"]
            ).state
        what, _, deed = message["type"].partition(".")
        action = f"{deed}_account" if what == "account" else deed
        target = Target(data["account_id"], data.get("content_id", ""))
        return self.far.apply(action.upper(), target, data["id"]).state


def answer(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "receiver.crt", folder / "receiver.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
