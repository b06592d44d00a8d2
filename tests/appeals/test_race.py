"""Eight windows at the desk at once, two of them of the same reviewer (T-39)."""

import pytest
from django.db.models import F

from appeals.models import Appeal, AppealClaim
from moderation.models import AuditEntry, Notice, User
from tests import forked
from tests.appeals.factories import AppealFactory
from tests.factories import UserFactory

APPEALS = 24


def decided_at_once(reviewers: list[User]) -> list[int]:
    pks = [reviewer.pk for reviewer in reviewers]
    said = forked.together("tests.appeals.desk_actor", "all", pks)
    return [pk for one in said for pk in one]


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
