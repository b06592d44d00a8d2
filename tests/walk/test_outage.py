"""The broker is down: content is still taken, and the work is done when the bell rings again."""

import json
import urllib.request
from pathlib import Path

import pytest

from config.stack import Stack, running
from tests.services import servers
from tests.walk.conftest import send, wait_until


@pytest.fixture
def key_for():
    def make(stack: Stack) -> str:
        scopes = ["--scope", "content:write", "--scope", "content:read"]
        return stack.manage("make_key", "facebook", *scopes).strip()

    return make


def state(stack: Stack, key: str, external_id: str) -> str:
    request = urllib.request.Request(
        f"{stack.url}/api/v1/content/{external_id}/",
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(json.load(answer)["state"])


@pytest.mark.services
def test_content_is_taken_without_redis_and_checked_when_redis_is_back(
    tmp_path: Path, key_for, pictures: Path
):
    data = (pictures / "coffee.png").read_bytes()
    port = servers.free_port()
    url = f"redis://:{'p' * 24}@127.0.0.1:{port}/0"
    with running(tmp_path / "stack", REDIS_URL=url, SWEEP_SECONDS="1") as stack:
        key = key_for(stack)

        stack.kill("worker")  # both would only count the seconds until they try again
        stack.kill("beat")
        assert send(stack, key, "during-the-outage", data) == 202
        assert state(stack, key, "during-the-outage") == "received"

        with servers.redis(port=port, password="p" * 24):
            stack.start("worker")
            stack.start("beat")
            wait_until(
                lambda: state(stack, key, "during-the-outage") == "checked",
                "the check after the outage",
            )


def test_content_is_taken_although_the_embedded_broker_cannot_be_written(
    embedded: Stack, key_for, pictures: Path
):
    data = (pictures / "rocket.jpg").read_bytes()
    key = key_for(embedded)
    embedded.kill("worker")
    embedded.kill("beat")
    broker = embedded.logs / "broker"
    broker.rename(embedded.logs / "broker-away")
    broker.write_bytes(b"a file where the folder must be")

    assert send(embedded, key, "during-the-outage", data) == 202
    assert state(embedded, key, "during-the-outage") == "received"
    broker.unlink()
    embedded.start("worker")
    embedded.start("beat")

    wait_until(
        lambda: state(embedded, key, "during-the-outage") == "checked",
        "the check after the outage",
    )
