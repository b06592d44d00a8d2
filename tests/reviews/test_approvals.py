"""Closing an account takes two people, and the database knows who the first was (T-39, T-53)."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from moderation.models import Enforcement, User
from moderation.services import ApproverIsDecider, approve_enforcement
from reviews.models import Policy
from tests.factories import NOW, FlagFactory
from tests.reviews.factories import answer, at, held_by
from tests.reviews.signin import let_in

pytestmark = pytest.mark.django_db


class TestASecondPerson:
    @pytest.fixture
    def order(self, second_reviewer: User, policy: Policy) -> Enforcement:
        """Proposed by somebody else than the one at the desk."""
        FlagFactory()
        answer(held_by(second_reviewer), policy)
        return Enforcement.objects.get(action="DISABLE_ACCOUNT")

    def test_sees_what_waits_and_why(self, desk: Client, order: Enforcement) -> None:
        page = desk.get(at("approvals"))

        assert order.account.external_id in page.text
        assert "Sharing needs agreement, and it is missing here." in page.text

    def test_approves(self, desk: Client, reviewer: User, order: Enforcement) -> None:
        desk.post(at("approve", order.pk))

        order.refresh_from_db()
        assert (order.work_state, order.approved_by) == ("WAITING", reviewer)

    def test_declines(self, desk: Client, order: Enforcement) -> None:
        page = desk.post(at("decline", order.pk), follow=True)

        order.refresh_from_db()
        assert order.work_state == "CANCELLED"
        assert "The account stays open." in page.text

    def test_is_never_the_first(
        self, client: Client, second_reviewer: User, order: Enforcement
    ) -> None:
        let_in(client, second_reviewer)

        assert order.account.external_id not in client.get(at("approvals")).text
        for name in ("approve", "decline"):
            assert client.post(at(name, order.pk)).status_code == 404
        with pytest.raises(ApproverIsDecider):
            approve_enforcement(
                enforcement=order, approver=second_reviewer, now=timezone.now()
            )
        with pytest.raises(IntegrityError), transaction.atomic():
            Enforcement.objects.filter(pk=order.pk).update(
                approved_by=second_reviewer, approved_at=NOW, work_state="WAITING"
            )

    def test_answers_once(self, desk: Client, order: Enforcement) -> None:
        desk.post(at("approve", order.pk))

        assert desk.post(at("decline", order.pk)).status_code == 404

    def test_does_not_hold_the_removal_up(self, order: Enforcement) -> None:
        assert Enforcement.objects.get(action="REMOVE").work_state == "WAITING"
