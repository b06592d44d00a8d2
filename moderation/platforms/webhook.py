"""A platform that is told by signed webhook (Standard Webhooks) and answers what it shows now.

Orders carry ids, the action and the time, nothing else. A notice carries its words too: they are for the account, and
the platform is the only road to it. Both travel only over HTTPS to the one configured address.
"""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from standardwebhooks.webhooks import Webhook as Signer

from moderation.platforms.base import (
    Confirmation,
    PlatformAdapter,
    PlatformError,
    Target,
)
from moderation.platforms.outbound import Answer, Endpoint, UnsafeURLError, Wire, post

_CONTENT_STATES = frozenset({"VISIBLE", "HELD", "REMOVED", "DELETED"})
_ACCOUNT_STATES = frozenset({"ACTIVE", "DISABLED", "DELETED"})
_NOTICE_STATES = frozenset({"DELIVERED", "DELETED"})
_SECRET_BYTES = range(24, 65)  # as the specification asks


class Webhook(PlatformAdapter):
    """OPTIONS: ``url``, and ``secrets`` or ``secrets_file`` (one ``whsec_…`` a line).

    While a secret is being rotated, list the new one and the old one: each message is signed with both.

    :raises ImproperlyConfigured: for an address that nothing may be sent to, or a missing or short secret.
    """

    def __init__(
        self,
        *,
        url: str,
        secrets: Sequence[str] = (),
        secrets_file: str = "",
        wire: Wire | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        try:
            self._endpoint = Endpoint.parse(url)
        except UnsafeURLError as error:
            raise ImproperlyConfigured(f"The webhook's url: {error}") from error
        if secrets_file:
            secrets = Path(secrets_file).read_text(encoding="utf-8").split()
        self._signers = [_signer(secret) for secret in secrets]
        if not self._signers:
            raise ImproperlyConfigured("A webhook needs a secret: whsec_…")
        self._wire = wire or Wire()
        self._clock = clock

    def hold(self, target: Target, key: str) -> Confirmation:
        return self._order("content.hold", target, key, _CONTENT_STATES)

    def release(self, target: Target, key: str) -> Confirmation:
        return self._order("content.release", target, key, _CONTENT_STATES)

    def remove(self, target: Target, key: str) -> Confirmation:
        return self._order("content.remove", target, key, _CONTENT_STATES)

    def restore(self, target: Target, key: str) -> Confirmation:
        return self._order("content.restore", target, key, _CONTENT_STATES)

    def disable_account(self, target: Target, key: str) -> Confirmation:
        return self._order("account.disable", target, key, _ACCOUNT_STATES)

    def enable_account(self, target: Target, key: str) -> Confirmation:
        return self._order("account.enable", target, key, _ACCOUNT_STATES)

    def notify(
        self, account_id: str, subject: str, body: str, key: str
    ) -> Confirmation:
        data = {"account_id": account_id, "subject": subject, "body": body}
        return self._told("notice.deliver", data, key, _NOTICE_STATES)

    def _order(
        self, kind: str, target: Target, key: str, states: frozenset[str]
    ) -> Confirmation:
        data = {"account_id": target.account_id}
        if states is _CONTENT_STATES:
            data["content_id"] = target.content_id
        return self._told(kind, data, key, states)

    def _told(
        self, kind: str, data: dict[str, str], key: str, states: frozenset[str]
    ) -> Confirmation:
        now = self._clock()
        at = now.isoformat(timespec="seconds")
        message = {"type": kind, "timestamp": at, "data": {"id": key, **data}}
        text = json.dumps(message, separators=(",", ":"))
        answer = post(
            self._endpoint, text.encode(), self._headers(key, now, text), self._wire
        )
        state = _state(answer, states)
        if state == "DELETED" and states is not _CONTENT_STATES:
            raise PlatformError("account_gone", retryable=False)
        return Confirmation(self._clock(), state)

    def _headers(self, key: str, now: datetime, text: str) -> dict[str, str]:
        # The signature is over exactly the bytes that are sent.
        signatures = [signer.sign(key, now, text) for signer in self._signers]
        return {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "nwmc-webhook/1",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


def _signer(secret: str) -> Signer:
    try:
        raw = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        raise ImproperlyConfigured("A webhook secret is not whsec_<base64>.") from error
    if len(raw) not in _SECRET_BYTES:
        raise ImproperlyConfigured("A webhook secret must hold 24 to 64 random bytes.")
    return Signer(raw)


def _state(answer: Answer, states: frozenset[str]) -> str:
    """What a 200 says. 202 means "not yet": the same message comes again, under the same id.

    :raises PlatformError: for any other answer; only 410 (the endpoint is gone for good) is not tried again.
    """
    if 300 <= answer.status < 400:
        raise PlatformError("redirect_refused", retryable=True)
    if answer.status == 410:
        raise PlatformError("endpoint_gone", retryable=False)
    if answer.status == 202:
        raise PlatformError("not_yet", retryable=True)
    if answer.status != 200:
        raise PlatformError(f"http_{answer.status}", retryable=True)
    state = _said(answer.body)
    if state not in states:
        raise PlatformError("not_understood", retryable=True)
    return state


def _said(body: bytes) -> str:
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    state = said.get("state") if isinstance(said, dict) else None
    return state if isinstance(state, str) else ""
