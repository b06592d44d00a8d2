import base64
import dataclasses
import itertools
import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from moderation.platforms.outbound import Wire
from moderation.platforms.sandbox import Sandbox
from moderation.platforms.webhook import Webhook
from tests.moderation.platforms.conftest import SECRET, URL
from tests.moderation.platforms.contract import (
    TARGET,
    AdapterContract,
    refusal,
    state_of,
)
from tests.moderation.platforms.receiver import HOST, Receiver, answer

NEWER = "whsec_" + base64.b64encode(bytes(range(100, 132))).decode()


@pytest.fixture
def far(behind: Sandbox) -> Sandbox:
    return behind


@pytest.fixture
def adapter(webhook: Webhook) -> Webhook:
    return webhook


class TestAdapter(AdapterContract):
    pass


class TestMessage:
    def test_of_an_order_holds_ids_action_and_time_alone(
        self, webhook: Webhook, receiver: Receiver
    ) -> None:
        webhook.remove(TARGET, "key-1")
        webhook.disable_account(TARGET, "key-2")

        content, account = (json.loads(body) for _, body in receiver.requests)
        assert content.pop("timestamp")
        assert content == {
            "type": "content.remove",
            "data": {"id": "key-1", "account_id": "ana", "content_id": "post-1"},
        }
        assert account["data"] == {"id": "key-2", "account_id": "ana"}

    def test_goes_to_the_configured_host_and_path(
        self, webhook: Webhook, receiver: Receiver
    ) -> None:
        paths = []
        receiver.reply = lambda handler: (
            paths.append(handler.path),
            answer(handler, 200, b'{"state": "HELD"}'),
        )[-1]
        webhook.hold(TARGET, "key-1")

        assert paths == ["/moderation/hooks?v=1"]
        assert receiver.requests[0][0]["host"] == HOST

    def test_is_signed_with_both_secrets_while_one_is_replaced(
        self, wire: Wire, receiver: Receiver
    ) -> None:
        Webhook(url=URL, secrets=[NEWER, SECRET], wire=wire).hold(TARGET, "key-1")

        headers, body = receiver.requests[0]
        for secret in (NEWER, SECRET):
            assert Verifier(secret).verify(body, headers)["type"] == "content.hold"
        assert len(headers["webhook-signature"].split(" ")) == 2

    def test_is_refused_by_a_receiver_with_another_secret(
        self, wire: Wire, receiver: Receiver, behind: Sandbox
    ) -> None:
        adapter = Webhook(url=URL, secrets=[NEWER], wire=wire)

        assert refusal(lambda: adapter.hold(TARGET, "key-1")) == ("http_401", True)
        assert behind.posts() == []

    def test_no_longer_verifies_when_changed(
        self, webhook: Webhook, receiver: Receiver
    ) -> None:
        webhook.hold(TARGET, "key-1")
        headers, body = receiver.requests[0]

        for name, value in (
            ("webhook-id", "key-2"),
            ("webhook-timestamp", str(int(headers["webhook-timestamp"]) + 1)),
        ):
            with pytest.raises(WebhookVerificationError):
                Verifier(SECRET).verify(body, {**headers, name: value})
        with pytest.raises(WebhookVerificationError):
            Verifier(SECRET).verify(body.replace(b"hold", b"release"), headers)

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_no_longer_verifies_outside_five_minutes(
        self, wire: Wire, minutes: int
    ) -> None:
        late = datetime.now(UTC) + timedelta(minutes=minutes)
        adapter = Webhook(url=URL, secrets=[SECRET], wire=wire, clock=lambda: late)

        assert refusal(lambda: adapter.hold(TARGET, "key-1")) == ("http_401", True)

    def test_changes_nothing_when_replayed(
        self, webhook: Webhook, receiver: Receiver, behind: Sandbox
    ) -> None:
        webhook.hold(TARGET, "key-1")
        webhook.release(TARGET, "key-2")
        headers, body = receiver.requests[0]

        assert receiver.honest(headers, body)[0] == 200
        assert state_of(behind, TARGET) == "VISIBLE"


class TestAnswer:
    @pytest.mark.parametrize(
        ("status", "body", "expected"),
        [
            (202, b'{"state": "HELD"}', ("not_yet", True)),
            (204, b"", ("http_204", True)),
            (301, b"", ("redirect_refused", True)),
            (307, b"", ("redirect_refused", True)),
            (404, b"", ("http_404", True)),
            (410, b"", ("endpoint_gone", False)),
            (429, b"", ("http_429", True)),
            (500, b"", ("http_500", True)),
            (200, b"", ("not_understood", True)),
            (200, b"ok", ("not_understood", True)),
            (200, b'"HELD"', ("not_understood", True)),
            (200, b'{"state": "GONE"}', ("not_understood", True)),
            (200, b'{"state": ["HELD"]}', ("not_understood", True)),
            (200, b'{"state": "ACTIVE"}', ("not_understood", True)),
            (200, b"[" * 60_000, ("not_understood", True)),
            (200, b" " * 65_537, ("too_large", True)),
        ],
        ids=lambda value: str(value)[:24],
    )
    def test_counts_only_when_it_says_the_state(
        self,
        webhook: Webhook,
        receiver: Receiver,
        status: int,
        body: bytes,
        expected: tuple[str, bool],
    ) -> None:
        receiver.reply = lambda handler: answer(
            handler, status, body, Location="https://elsewhere.example/"
        )

        assert refusal(lambda: webhook.hold(TARGET, "key-1")) == expected
        assert len(receiver.requests) == 1

    def test_may_not_be_endless(self, webhook: Webhook, receiver: Receiver) -> None:
        def pour(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(b"x" * 65_536)
            except OSError:
                handler.close_connection = True

        receiver.reply = pour

        assert refusal(lambda: webhook.hold(TARGET, "key-1"))[0] == "too_large"

    def test_may_not_be_all_headers(self, webhook: Webhook, receiver: Receiver) -> None:
        def pour(handler: BaseHTTPRequestHandler) -> None:
            try:
                while True:
                    handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
            except OSError:
                handler.close_connection = True

        receiver.reply = pour

        assert refusal(lambda: webhook.hold(TARGET, "key-1"))[0] == "too_large"

    def test_may_not_be_dripped_past_the_deadline(
        self, wire: Wire, receiver: Receiver
    ) -> None:
        def drip(handler: BaseHTTPRequestHandler) -> None:
            try:
                while True:
                    handler.wfile.write(b"H")
            except OSError:
                handler.close_connection = True

        receiver.reply = drip
        # A clock on which each look costs two of the ten seconds.
        clock = itertools.count(step=2)
        slow = dataclasses.replace(wire, seconds=lambda: float(next(clock)))
        webhook = Webhook(url=URL, secrets=[SECRET], wire=slow)

        assert refusal(lambda: webhook.hold(TARGET, "key-1")) == ("too_slow", True)

    def test_may_not_be_something_else_than_http(
        self, webhook: Webhook, receiver: Receiver
    ) -> None:
        def mumble(handler: BaseHTTPRequestHandler) -> None:
            handler.wfile.write(b"220 mail.example ESMTP\r\n")
            handler.close_connection = True

        receiver.reply = mumble

        assert refusal(lambda: webhook.hold(TARGET, "key-1")) == ("not_http", True)


class TestOptions:
    def test_read_the_secrets_from_a_file(
        self, wire: Wire, tmp_path: Path, receiver: Receiver
    ) -> None:
        path = tmp_path / "secrets"
        path.write_text(f"{NEWER}\n{SECRET}\n")

        Webhook(url=URL, secrets_file=str(path), wire=wire).hold(TARGET, "key-1")

        assert receiver.requests

    @pytest.mark.parametrize(
        "secrets",
        [[], ["whsec_"], ["whsec_c2hvcnQ="], ["not base64 at all"]],
    )
    def test_refuse_a_missing_or_weak_secret(self, secrets: list[str]) -> None:
        with pytest.raises(ImproperlyConfigured):
            Webhook(url=URL, secrets=secrets)
