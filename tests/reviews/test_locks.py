"""The one order of locks, where a machine decides: the rows, then the record (PostgreSQL)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from appeals.models import Appeal
from appeals.services import claim_next_appeal, decide_appeal, lodge
from config import installation
from moderation.models import Enforcement, Flag
from reviews.models import Decision, Policy
from reviews.pipeline import decide_automatically
from tests.factories import NOW, UserFactory
from tests.locks import holds_record_while_waiting_for
from tests.reviews.automatic import confirmed, found

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rule(db: None, settings) -> Policy:
    settings.AUTOMATIC_SAMPLE_PERCENT = 100
    installation.prepare(timezone.now())
    return Policy.objects.current().get(slug="ncii.shared")


def test_the_machine_takes_the_orders_of_a_content_before_the_record(
    rule,
) -> None:
    found(confirmed(rule))

    assert not holds_record_while_waiting_for(
        Enforcement.objects.all(),
        lambda: decide_automatically(NOW + timedelta(minutes=1)),
    )
    assert Decision.objects.filter(is_automatic=True).exists()


def test_an_appeal_takes_the_question_about_the_machine_before_the_record(
    rule,
) -> None:
    flag = found(confirmed(rule))
    now = timezone.now()
    decide_automatically(now)
    decision = Decision.objects.get(flag=flag)
    lodge(grant=decision.grants.get(), ground="ME", words="", language="en", now=now)
    reviewer = UserFactory()
    claim = claim_next_appeal(reviewer=reviewer, now=now)

    assert not holds_record_while_waiting_for(
        Flag.objects.open(),
        lambda: decide_appeal(
            claim_token=claim.token,
            reviewer=reviewer,
            outcome=Appeal.Outcome.OVERTURNED,
            reasoning="A mistake.",
            now=now,
        ),
    )
