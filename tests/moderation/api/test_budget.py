import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from moderation.models import ApiKey, KeyBudget, Platform
from moderation.models.partners import Scope
from tests.factories import NOW
from tests.moderation.api.conftest import (
    MATCH,
    Caller,
    content,
    file,
    make_key,
    problem_of,
)
from tests.moderation.api.test_match import FAR, asked, asked_raw, video

MP4 = b"\0\0\0\x18ftypmp42" + bytes(32)
ACTOR = Path(__file__).with_name("budget_actor.py")
ROOT = ACTOR.parents[3]


@pytest.fixture
def key(platform: Platform) -> ApiKey:
    make_key(platform, Scope.MATCH_HASH)
    return make_key(platform, Scope.MATCH_HASH)[0]


def spend(key: ApiKey, cost: float = 1, after: float = 0) -> float:
    now = NOW + timedelta(seconds=after)
    return KeyBudget.spend(key, cost=cost, rate=300, burst=3000, now=now)


class TestSpend:
    def test_gives_exactly_what_the_bucket_holds(self, key: ApiKey) -> None:
        waits = [spend(key) for _ in range(3100)]

        assert [wait == 0 for wait in waits] == [True] * 3000 + [False] * 100
        assert waits[-1] == pytest.approx(1 / 300, abs=1e-5)

    def test_gives_again_what_time_has_filled(self, key: ApiKey) -> None:
        spend(key, 3000)

        assert spend(key, 30, after=0.09) > 0
        assert spend(key, 30, after=0.1) == 0
        assert spend(key, 3000, after=10.1) == 0
        assert spend(key, 1, after=10.1) > 0

    def test_takes_nothing_when_it_refuses(self, key: ApiKey) -> None:
        spend(key, 2990)

        assert spend(key, 20) == pytest.approx(10 / 300, abs=1e-5)
        assert spend(key, 10) == 0

    def test_holds_no_more_after_a_long_rest(self, key: ApiKey) -> None:
        spend(key, 1, after=-86_400)

        assert spend(key, 3000) == 0
        assert spend(key, 1) > 0

    def test_counts_each_key_alone(self, key: ApiKey, platform: Platform) -> None:
        other, _ = make_key(platform, Scope.MATCH_HASH)
        spend(key, 3000)

        assert spend(other, 3000) == 0

    def test_survives_a_clock_that_is_behind(self, key: ApiKey) -> None:
        spend(key, 2999, after=1)

        assert spend(key, 1, after=0) > 0
        assert spend(key, 1, after=1) == 0

    @pytest.mark.django_db(transaction=True)
    def test_is_exact_across_processes(self, key: ApiKey) -> None:
        """4 processes, 40 tries each, 50 tokens: 50, not 51 (a cache counter let 90 to 159 through)."""
        where = {"NAME": str(connection.settings_dict["NAME"])}
        arguments = [json.dumps(where), str(key.pk), "50", "40"]
        actors = [
            subprocess.Popen(
                [sys.executable, str(ACTOR), *arguments],
                cwd=ROOT,
                env={"PYTHONPATH": str(ROOT), **inherited()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for actor in actors:
            assert actor.stdout is not None
            assert actor.stdout.readline() == "ready\n"
        for actor in actors:
            assert actor.stdin is not None
            actor.stdin.write("go\n")
            actor.stdin.flush()
        got = [actor.communicate(timeout=60)[0] for actor in actors]

        assert sum(int(one) for one in got) == 50


def added(count: int) -> dict[str, Any]:
    one = {"signal_type": "pdq", "value": FAR.hex()}
    return {"bank": "unknown", "fingerprints": [one] * count}


def inherited() -> dict[str, str]:
    wanted = ("PATH", "DATABASE_URL", "EMBEDDED", "VAR_DIR", "REDIS_URL", "HOME")
    return {name: os.environ[name] for name in wanted if name in os.environ}


class TestOverHttp:
    def test_refuses_with_the_seconds_to_wait(
        self, caller: Caller, settings: Any
    ) -> None:
        settings.API_TOKENS_PER_SECOND, settings.API_TOKENS_BURST = 0.1, 2

        responses = [caller.json(asked(FAR)) for _ in range(3)]

        assert [response.status_code for response in responses] == [200, 200, 429]
        assert problem_of(responses[-1]) == (429, "throttled")
        assert 1 <= int(responses[-1]["Retry-After"]) <= 11

    @pytest.mark.parametrize(
        ("deed", "cost"),
        [
            (lambda caller: caller.json(asked(FAR)), 1),
            (lambda caller: caller.json(asked(*[FAR] * 7)), 7),
            (lambda caller: caller.json({"hashes": "wrong"}), 1),
            (lambda caller: caller.form(MATCH, media=file()), 10),
            (lambda caller: caller.form(**content()), 10),
            (lambda caller: caller.get("/api/v1/content/unknown/"), 1),
            (lambda caller: caller.json(asked_raw(video([FAR] * 160))), 11),
            (lambda caller: caller.form(MATCH, media=file(MP4)), 100),
            (lambda caller: caller.json(added(500), "/api/v1/fingerprints/"), 51),
        ],
        ids=[
            "hash",
            "hashes",
            "mistake",
            "picture",
            "content",
            "read",
            "video's frames",
            "video",
            "fingerprints",
        ],
    )
    def test_charges_by_what_is_asked(
        self, caller: Caller, settings: Any, deed: Any, cost: int
    ) -> None:
        settings.API_TOKENS_PER_SECOND, settings.API_TOKENS_BURST = 1e-6, 1000

        deed(caller)

        row = KeyBudget.objects.get()
        spent = (row.full_at - row.key.created_at.timestamp() - 86_400) * 1e-6
        assert spent == pytest.approx(cost, abs=0.1)

    def test_leaves_the_other_platform_alone(
        self, caller: Caller, stranger: Caller, settings: Any
    ) -> None:
        settings.API_TOKENS_PER_SECOND, settings.API_TOKENS_BURST = 0.1, 1
        caller.json(asked(FAR))

        assert caller.json(asked(FAR)).status_code == 429
        assert stranger.json(asked(FAR)).status_code == 200
