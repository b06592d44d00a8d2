"""A platform behind a webhook, reached over a wire that leads to this machine whatever the address."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from moderation.platforms.outbound import Wire
from moderation.platforms.sandbox import Sandbox
from moderation.platforms.webhook import Webhook
from tests.moderation.platforms.receiver import HOST, Receiver

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
URL = f"https://{HOST}/moderation/hooks?v=1"
PUBLIC = "93.184.215.14"


@pytest.fixture
def behind(tmp_path: Path) -> Sandbox:
    return Sandbox(alias="behind", folder=str(tmp_path))


@pytest.fixture
def receiver(behind: Sandbox, tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(behind, SECRET, tmp_path)
    yield receiver
    receiver.close()


@pytest.fixture
def wire(receiver: Receiver) -> Wire:
    def connect(address: str, seconds: float) -> socket.socket:
        assert address == PUBLIC
        return socket.create_connection(("127.0.0.1", receiver.port), timeout=seconds)

    return Wire(resolve=lambda host: [PUBLIC], connect=connect, tls=receiver.trust)


@pytest.fixture
def webhook(wire: Wire) -> Webhook:
    return Webhook(url=URL, secrets=[SECRET], wire=wire)
