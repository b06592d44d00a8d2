"""The one order of locks, at both desks: the rows, then the record (PostgreSQL)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from appeals.models import Appeal, AppealClaim
from appeals.services import decide_appeal
from appeals.services import expire_leases as expire_appeal_leases
from moderation.models import Enforcement
from reviews.models import Claim
from reviews.services import expire_leases
from tests.appeals.factories import AppealClaimFactory
from tests.factories import NOW, EnforcementFactory, FlagFactory, UserFactory
from tests.locks import holds_record_while_waiting_for
from tests.reviews.factories import held_by

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_an_answer_takes_the_orders_of_its_content_before_the_record() -> None:
    claim = AppealClaimFactory()
    decision = claim.appeal.grant.decision
    hold = EnforcementFactory(content=decision.flag.content, action="HOLD")

    def overturn() -> None:
        decide_appeal(
            claim_token=claim.token,
            reviewer=claim.reviewer,
            outcome=Appeal.Outcome.OVERTURNED,
            reasoning="It was a mistake.",
            now=NOW,
        )

    orders = Enforcement.objects.filter(pk=hold.pk)
    assert not holds_record_while_waiting_for(orders, overturn)

    assert Appeal.objects.get().outcome == "OVERTURNED"


def test_ending_leases_passes_by_the_one_that_somebody_answers_now() -> None:
    FlagFactory.create_batch(2)
    claims = [held_by(UserFactory()) for _ in range(2)]
    past = timezone.now() - timedelta(seconds=1)
    Claim.objects.update(expires_at=past)

    last = Claim.objects.filter(pk=claims[1].pk)
    assert not holds_record_while_waiting_for(last, expire_leases)

    assert Claim.objects.active().get() == claims[1]


def test_ending_leases_of_appeals_passes_by_it_too() -> None:
    past = timezone.now() - timedelta(seconds=1)
    claims = AppealClaimFactory.create_batch(2, expires_at=past)

    last = AppealClaim.objects.filter(pk=claims[1].pk)
    assert not holds_record_while_waiting_for(last, expire_appeal_leases)

    assert AppealClaim.objects.active().get() == claims[1]
