"""One HTTPS POST to an address that somebody else chose: never inwards, never redirected, never long (T-33).

The name is resolved once, every address it has must be a public one, and the connection goes to the address that was
checked: a name that answers differently the second time gains nothing.
"""

import http.client
import io
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from moderation.platforms.base import PlatformError

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
ANSWER_BYTES = 64 * 1024
_HEADER_BYTES = 16 * 1024
_PORT = 443

# Global by the registries, and still not the internet we mean: ways to carry an IPv4 address past a check, relays,
# documentation, and one cloud's metadata server on a public address.
_REFUSED = [
    ipaddress.ip_network(net)
    for net in (
        *("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"),
        *("64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16"),
        *("2001:db8::/32", "3fff::/20"),
    )
]
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# At least two labels, the last one not a number: no literal address in any of its spellings.
_HOST = re.compile(rf"({_LABEL}\.)+(?![0-9]+$|0x)[a-z0-9]([a-z0-9-]{{0,61}}[a-z0-9])")


class UnsafeURLError(ValueError):
    """An address that nothing is ever sent to."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    host: str
    path: str

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """
        :raises UnsafeURLError: unless it is https, port 443, a full host name, without user, password or fragment.
        """
        if not re.fullmatch(r"[!-~]{1,2000}", url) or re.search(r"[\\#<>\"^`{|}]", url):
            raise UnsafeURLError("The URL has characters that no URL needs.")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UnsafeURLError("This is not a URL.") from error
        if parts.scheme != "https" or port not in (None, _PORT):
            raise UnsafeURLError("The URL must start with https:// and use port 443.")
        host = (parts.hostname or "").removesuffix(".")
        if "@" in parts.netloc or len(host) > 253 or not _HOST.fullmatch(host):
            raise UnsafeURLError("The URL must name its host by a full domain name.")
        query = f"?{parts.query}" if parts.query else ""
        return cls(host, (parts.path or "/") + query)


def is_public(address: str) -> bool:
    """Whether this is an address on the open internet, said plainly and not wrapped in another one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _PUBLIC_V6:
        return False
    if any(ip in net for net in _REFUSED if net.version == ip.version):
        return False
    return ip.is_global and not ip.is_multicast


def _resolved(host: str) -> list[str]:
    found = socket.getaddrinfo(
        host, _PORT, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return [str(entry[4][0]) for entry in found]


def _connected(address: str, seconds: float) -> socket.socket:
    return socket.create_connection((address, _PORT), timeout=seconds)


@dataclass(frozen=True, slots=True)
class Wire:
    """How names are looked up, connections made and seconds counted. Tests have their own; nothing else does."""

    resolve: Callable[[str], Sequence[str]] = _resolved
    connect: Callable[[str, float], socket.socket] = _connected
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    seconds: Callable[[], float] = time.monotonic

    def until(self, seconds: float) -> "Deadline":
        return Deadline(self.seconds, self.seconds() + seconds)


@dataclass(frozen=True, slots=True)
class Deadline:
    seconds: Callable[[], float]
    at: float

    def left(self) -> float:
        """
        :raises TimeoutError: if nothing is left.
        """
        left = self.at - self.seconds()
        if left <= 0:
            raise TimeoutError
        return left


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def post(
    endpoint: Endpoint, body: bytes, headers: Mapping[str, str], wire: Wire
) -> Answer:
    """
    :raises PlatformError: `address_refused`, `unresolved`, `unreachable`, `tls_refused`, `too_slow`, `too_large` or
        `not_http`; all may be over at the next try.
    """
    deadline = wire.until(TOTAL_SECONDS)
    try:
        with (
            reach(endpoint.host, wire) as plain,
            wire.tls.wrap_socket(plain, server_hostname=endpoint.host) as secure,
        ):
            return _exchanged(secure, endpoint, body, headers, deadline)
    except ssl.SSLCertVerificationError:
        raise PlatformError("tls_refused", retryable=True) from None
    except TimeoutError:
        raise PlatformError("too_slow", retryable=True) from None
    except OSError:
        raise PlatformError("unreachable", retryable=True) from None
    except http.client.HTTPException:
        raise PlatformError("not_http", retryable=True) from None


def reach(host: str, wire: Wire) -> socket.socket:
    """A connection to port 443 of a name that has public addresses only, to one that was checked.

    :raises PlatformError: `address_refused` or `unresolved`.
    :raises OSError: if none of them answers.
    """
    return _first_reached(_checked(host, wire), wire)


def _checked(host: str, wire: Wire) -> Sequence[str]:
    try:
        addresses = wire.resolve(host)
    except (OSError, UnicodeError):
        raise PlatformError("unresolved", retryable=True) from None
    if not addresses:
        raise PlatformError("unresolved", retryable=True)
    # One inward address among public ones is an attack, not a choice.
    if not all(is_public(address) for address in addresses):
        raise PlatformError("address_refused", retryable=True)
    return addresses


def _first_reached(addresses: Sequence[str], wire: Wire) -> socket.socket:
    deadline = wire.until(CONNECT_SECONDS)
    for address in addresses[:-1]:
        try:
            return wire.connect(address, deadline.left() / 2)
        except OSError:
            continue
    return wire.connect(addresses[-1], deadline.left())


def _exchanged(
    secure: ssl.SSLSocket,
    endpoint: Endpoint,
    body: bytes,
    headers: Mapping[str, str],
    deadline: Deadline,
) -> Answer:
    lines = [
        f"POST {endpoint.path} HTTP/1.1",
        f"Host: {endpoint.host}",
        "Connection: close",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    head = "\r\n".join(lines) + "\r\n\r\n"
    secure.settimeout(deadline.left())
    secure.sendall(head.encode("ascii") + body)
    metered = _Metered(secure, deadline)
    with closing(http.client.HTTPResponse(metered, method="POST")) as answer:  # type: ignore[arg-type]
        answer.begin()
        received = answer.read(ANSWER_BYTES + 1)
    if len(received) > ANSWER_BYTES:
        raise PlatformError("too_large", retryable=True)
    return Answer(answer.status, received)


class _Metered(io.RawIOBase):
    """What http.client reads from: one deadline and one allowance for the whole answer, however it is dripped."""

    def __init__(self, secure: ssl.SSLSocket, deadline: Deadline) -> None:
        self._secure = secure
        self._deadline = deadline
        self._allowed = ANSWER_BYTES + _HEADER_BYTES

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._allowed <= 0:
            raise PlatformError("too_large", retryable=True)
        self._secure.settimeout(self._deadline.left())
        got = self._secure.recv_into(buffer)
        self._allowed -= got
        return got
