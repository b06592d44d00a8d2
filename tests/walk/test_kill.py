"""kill -9 at any step loses nothing: the rows are the queue, and beat rings again."""

import json
import urllib.request
from pathlib import Path

import pytest

from config.stack import Stack
from tests.walk.conftest import send, wait_until

pytestmark = pytest.mark.services


class TestKillDrill:
    def test_work_goes_on_after_the_worker_was_killed_in_the_middle_again_and_again(
        self, stack: Stack, pictures: Path
    ):
        data = (pictures / "coffee.png").read_bytes()
        ids = [f"kill-{number}" for number in range(12)]
        key = stack.manage(
            "make_key",
            "facebook",
            "--scope",
            "content:write",
            "--scope",
            "content:read",
        ).strip()
        for number, external_id in enumerate(ids):
            assert send(stack, key, external_id, data + bytes([number])) == 202
            if number % 4 == 3:
                stack.kill("worker")
                stack.start("worker")

        for external_id in ids:
            wait_until(
                lambda external_id=external_id: (
                    state(stack, key, external_id) == "checked"
                ),
                f"the check of {external_id}",
            )


def state(stack: Stack, key: str, external_id: str) -> str:
    request = urllib.request.Request(
        f"{stack.url}/api/v1/content/{external_id}/",
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(json.load(answer)["state"])
