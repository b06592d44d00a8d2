"""Eight windows at the desk at once, two of them of the same reviewer (T-39)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F

from appeals.models import Appeal, AppealClaim
from moderation.models import AuditEntry, Notice, User
from tests.appeals.factories import AppealFactory
from tests.factories import UserFactory

ACTOR = Path(__file__).with_name("desk_actor.py")
ROOT = ACTOR.parents[2]
APPEALS = 24


def inherited() -> dict[str, str]:
    wanted = ("PATH", "DATABASE_URL", "EMBEDDED", "VAR_DIR", "REDIS_URL", "HOME")
    return {name: os.environ[name] for name in wanted if name in os.environ}


def decided_at_once(reviewers: list[User]) -> list[int]:
    where = json.dumps({"NAME": str(connection.settings_dict["NAME"])})
    actors = [
        subprocess.Popen(
            [sys.executable, str(ACTOR), where, str(reviewer.pk)],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), **inherited()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for reviewer in reviewers
    ]
    for actor in actors:
        assert actor.stdout is not None
        assert actor.stdout.readline() == "ready\n"
    for actor in actors:
        assert actor.stdin is not None
        actor.stdin.write("go\n")
        actor.stdin.flush()
    return [
        pk for actor in actors for pk in json.loads(actor.communicate(timeout=120)[0])
    ]


@pytest.mark.django_db(transaction=True)
def test_every_appeal_is_decided_once_and_never_by_who_decided_first():
    reviewers = [UserFactory() for _ in range(7)]
    for number in range(APPEALS):
        AppealFactory(first_reviewer=reviewers[number % len(reviewers)])

    decided = decided_at_once([*reviewers, reviewers[0]])

    assert sorted(decided) == sorted(Appeal.objects.values_list("pk", flat=True))
    assert not Appeal.objects.open().exists()
    assert not Appeal.objects.filter(decided_by=F("first_reviewer")).exists()
    assert Notice.objects.count() == APPEALS
    answers = AuditEntry.objects.filter(text__contains='"verb":"appeal.decided"')
    assert answers.count() == APPEALS
    claims = AppealClaim.objects.filter(ended_why=AppealClaim.Ended.DECIDED)
    assert claims.count() == AppealClaim.objects.count() == APPEALS
