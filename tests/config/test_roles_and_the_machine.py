"""What a machine decides under the rights of a worker, and people about it under those of the console (T-21)."""

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from appeals.models import Appeal
from appeals.services import claim_next_appeal, decide_appeal, lodge
from config import installation
from moderation.models import BankedHash, Enforcement, Flag, HashBank, Notice
from reviews import tasks
from reviews.models import AppealGrant, Decision, Policy, Sample
from reviews.pipeline import decide_automatically
from tests.factories import NOW, DecisionFactory, FlagFactory, UserFactory
from tests.reviews.automatic import confirmed, found
from tests.reviews.factories import answer, held_by

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def rule(db: None, settings) -> Policy:
    settings.AUTOMATIC_SAMPLE_PERCENT = 100
    installation.prepare(timezone.now())
    return Policy.objects.current().get(slug="ncii.shared")


class TestTheWorker:
    def test_decides_and_asks_a_person_who_takes_it_back(self, face, rule) -> None:
        flag = found(confirmed(rule))

        with face("worker"):
            tasks.decide_automatically()
        with face("staff"):
            keep = Policy.objects.current().get(slug="none.not_intimate")
            answer(held_by(UserFactory()), keep)

        assert Decision.objects.get(flag=flag).overturned_at is not None
        assert Sample.objects.get().is_right is False
        assert Notice.objects.filter(kind="DECISION_REVERSED").exists()

    def test_is_stopped_by_the_console(self, face, rule) -> None:
        banked, keep = (
            confirmed(rule),
            Policy.objects.current().get(slug="none.not_intimate"),
        )
        found(banked)
        found(banked)
        with face("worker"):
            assert decide_automatically(NOW) == 2
        with face("staff"):
            for _ in range(2):
                answer(held_by(UserFactory()), keep)

        banked.bank.refresh_from_db()
        assert banked.bank.automatic == HashBank.Automatic.HOLD

    def test_cannot_answer_in_a_person_s_name(self, face, rule) -> None:
        flag, person = FlagFactory(resolved_at=NOW), UserFactory()

        with (
            face("worker"),
            pytest.raises(ProgrammingError),
            transaction.atomic(),
        ):
            DecisionFactory(flag=flag, reviewer=person, policy=rule)


class TestTheConsole:
    def test_banks_the_copy_when_a_person_agrees(self, face, rule) -> None:
        found(confirmed(rule))
        with face("worker"):
            decide_automatically(NOW)

        with face("staff"):
            decision = answer(held_by(UserFactory()), rule)

        assert Sample.objects.get().is_right is True
        order = Enforcement.objects.get(action="DISABLE_ACCOUNT")
        assert order.cause_ref == decision.public_id

    def test_overturns_it_on_appeal(self, face, rule) -> None:
        flag = found(confirmed(rule))
        now = timezone.now()
        with face("worker"):
            decide_automatically(now)
        with face("appeals"):
            grant = AppealGrant.objects.told().get(decision__flag=flag)
            lodge(grant=grant, ground="OTHER", words="", language="en", now=now)
        with face("staff"):
            reviewer = UserFactory()
            claim = claim_next_appeal(reviewer=reviewer, now=now)
            decide_appeal(
                claim_token=claim.token,
                reviewer=reviewer,
                outcome=Appeal.Outcome.OVERTURNED,
                reasoning="A mistake.",
                now=now,
            )

        assert Decision.objects.get(flag=flag).overturned_at == now
        assert not Flag.objects.open().exists()
        assert BankedHash.objects.live().count() == 1
