"""The one way out for the exchange clients: to their own host only, never inwards, never redirected or endless (T-33).

The clients of ``threatexchange`` speak through ``requests``. They get a session whose only door is this one.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from moderation.platforms.base import PlatformError
from moderation.platforms.outbound import Wire, reach

PAGE_BYTES: Final = 10 * 1024 * 1024
PAGE_SECONDS: Final = 60.0
_SILENCE_SECONDS: Final = (5.0, 20.0)
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Door:
    """Leads to ``base`` and what lies below it.

    ``is_open``: on one's own machine, for trying and testing; plain HTTP and any address will do.
    """

    base: str
    is_open: bool = False
    wire: Wire = field(default_factory=Wire)

    def guard(self, session: requests.Session) -> requests.Session:
        """The same session, with no other way out and no settings of the machine's."""
        session.trust_env = False
        session.adapters.clear()
        session.mount(self.base, _Guarded(self))
        return session


@contextmanager
def named_errors() -> Iterator[None]:
    """Whatever goes wrong has a code: messages of libraries quote addresses and answers.

    :raises PlatformError: `credentials_refused`, `refused_<status>`, `busy`, `unreachable`, `page_malformed` or
        `not_http`.
    """
    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 500
        raise _refused(status) from None
    except (requests.ConnectionError, requests.Timeout):
        raise PlatformError("unreachable", retryable=True) from None
    except (ValueError, RecursionError):
        raise PlatformError("page_malformed", retryable=True) from None
    except requests.RequestException:
        raise PlatformError("not_http", retryable=True) from None
    except OSError:
        raise PlatformError("unreachable", retryable=True) from None


def _refused(status: int) -> PlatformError:
    if status in (401, 403):
        return PlatformError("credentials_refused", retryable=False)
    if status == 429 or status >= 500:
        return PlatformError("busy", retryable=True)
    return PlatformError(f"refused_{status}", retryable=True)


class _Guarded(HTTPAdapter):
    def __init__(self, door: Door) -> None:
        self._door = door
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        if not self._door.is_open:
            more["ssl_context"] = self._door.wire.tls
        super().init_poolmanager(*args, **more)
        if not self._door.is_open:
            self.poolmanager.pool_classes_by_scheme = {
                "https": _pool_class(self._door.wire)
            }

    def send(
        self, request: requests.PreparedRequest, *args: Any, **more: Any
    ) -> requests.Response:
        """
        :raises PlatformError: `address_refused`, `redirected`, `encoded`, `too_large` or `too_slow`.
        """
        scheme, host = _origin(request.url or "")
        is_safe = self._door.is_open or scheme == "https"
        if (scheme, host) != _origin(self._door.base) or not is_safe:
            raise PlatformError("address_refused", retryable=False)
        request.headers["Accept-Encoding"] = "identity"
        more |= {"stream": True, "timeout": _SILENCE_SECONDS, "proxies": None}
        response = super().send(request, *args, **more)
        if response.is_redirect or 300 <= response.status_code < 400:
            response.close()
            raise PlatformError("redirected", retryable=True)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            response.close()
            raise PlatformError("encoded", retryable=True)
        response._content = _read(response, time.monotonic)
        # Whatever the partner calls it: some codecs take a day for ten MiB, and so does guessing.
        response.encoding = "utf-8"
        return response


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _read(response: requests.Response, seconds: Callable[[], float]) -> bytes:
    """The whole answer, if it is not too long, however slowly it drips."""
    until = seconds() + PAGE_SECONDS
    parts, left = [], PAGE_BYTES
    try:
        while part := response.raw.read1(_CHUNK):
            parts.append(part)
            left -= len(part)
            if left < 0:
                raise PlatformError("too_large", retryable=True)
            if seconds() > until:
                raise PlatformError("too_slow", retryable=True)
    except HTTPError:
        raise PlatformError("unreachable", retryable=True) from None
    finally:
        response.close()
    return b"".join(parts)


def _pool_class(wire: Wire) -> type[HTTPSConnectionPool]:
    class Connection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return reach(self.host, wire)

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool
