"""Several reviewers at once, each in a process of their own, on the real database (SQLite and PostgreSQL alike)."""

from collections import Counter

import pytest
from django.utils import timezone

from moderation.models import AuditEntry, Enforcement, Flag, User
from reviews.models import Claim, Decision, Reveal
from tests import forked
from tests.factories import ContentFactory, FlagFactory, PolicyFactory, UserFactory
from tests.reviews.factories import held_by

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES = 8
FLAGS = 120


def together(deed: str, reviewers: list[User]) -> list[list[int]]:
    pks = [person.pk for person in reviewers]
    return forked.together("tests.reviews.race_actor", deed, pks)


def test_no_flag_is_claimed_twice_and_none_is_lost() -> None:
    PolicyFactory()
    flags = FlagFactory.create_batch(FLAGS)
    reviewers = UserFactory.create_batch(PROCESSES)

    said = together("work", reviewers)

    decided = [pk for one in said for pk in one]
    assert Counter(decided) == Counter(flag.pk for flag in flags)
    assert Decision.objects.count() == FLAGS
    assert not Flag.objects.open().exists()
    assert Claim.objects.count() == FLAGS
    assert set(Claim.objects.values_list("epoch", "ended_why")) == {(1, "DECIDED")}
    assert Enforcement.objects.filter(action="REMOVE").count() == FLAGS
    assert AuditEntry.objects.filter(text__contains="flag.decided").count() == FLAGS
    assert sum(1 for one in said if one) > 1  # they did work at the same time


def test_one_reviewer_in_many_windows_gets_one_flag() -> None:
    FlagFactory.create_batch(PROCESSES)
    reviewer = UserFactory()

    said = together("grab", [reviewer] * PROCESSES)

    assert sorted(len(one) for one in said) == [0] * (PROCESSES - 1) + [1]
    assert Claim.objects.count() == 1


def test_the_days_budget_is_exact_in_many_windows() -> None:
    FlagFactory()
    reviewer = UserFactory()
    held_by(reviewer)
    content, now = ContentFactory(), timezone.now()
    Reveal.objects.bulk_create(
        Reveal(reviewer=reviewer, content=content, derivative="GREY", revealed_at=now)
        for _ in range(80)
    )

    said = together("look", [reviewer] * 4)

    assert sum(len(one) for one in said) == 40
    assert Reveal.objects.filter(reviewer=reviewer).count() == 120
