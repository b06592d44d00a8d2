"""How a stand-in tells the hub of a post: the public HTTP API with the stand-in's own key, like any platform."""

import http.client
import json
import secrets
from urllib.parse import urlsplit

from django.conf import settings

from moderation.platforms.base import PlatformError
from moderation.platforms.sandbox import Post, Sandbox

_SECONDS = 30.0
_PATH = "/api/v1/content/"


def send(sandbox: Sandbox, post: Post, hub_url: str = "") -> None:
    """Send a post with its picture to ``hub_url`` (API_URL if empty). It may be sent again: the hub knows its id.

    :raises PlatformError: `no_key`, `hub_unreachable`, or `hub_<code>` with the code of the hub's refusal.
    """
    if not sandbox.key:
        raise PlatformError("no_key", retryable=True)
    boundary = secrets.token_hex(16)
    headers = {
        "Authorization": f"Bearer {sandbox.key}",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Accept": "application/json",
    }
    status, body = _posted(
        hub_url or settings.API_URL,
        _form(post, sandbox.picture(post), boundary),
        headers,
    )
    if status not in (200, 202):
        raise PlatformError(f"hub_{_code(body, status)}", retryable=status >= 429)
    sandbox.mark_sent(post)


def _posted(hub_url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    hub = urlsplit(hub_url)
    secure = hub.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(hub.hostname or "localhost", hub.port, timeout=_SECONDS)
    try:
        connection.request("POST", _PATH, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        raise PlatformError("hub_unreachable", retryable=True) from None
    finally:
        connection.close()


def _form(post: Post, picture: bytes, boundary: str) -> bytes:
    fields = {
        "external_id": post.id,
        "account_id": post.account_id,
        "caption": post.caption,
        "posted_at": post.posted_at.isoformat(),
    }
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="media"; filename="picture"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return "".join(parts).encode() + picture + f"\r\n--{boundary}--\r\n".encode()


def _code(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["type"]).rsplit(":", 1)[-1][:30]
    except (ValueError, KeyError, TypeError):
        return str(status)
