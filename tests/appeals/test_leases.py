from datetime import timedelta

import pytest
from django.utils import timezone

from appeals.models import Appeal, AppealClaim
from appeals.services import (
    NothingToClaim,
    claim_next_appeal,
    expire_leases,
    heartbeat,
    release,
)
from appeals.services.leases import HARD_CAP, LEASE
from moderation.models import Enforcement, User
from reviews.models import Reveal
from reviews.services import BudgetSpent, LeaseLost, MayNotReview
from reviews.services.looks import DAILY_LOOKS
from tests.appeals.factories import AppealClaimFactory, AppealFactory
from tests.factories import NOW, ContentFactory, EnforcementFactory, UserFactory

pytestmark = pytest.mark.django_db


def claim(reviewer: User) -> AppealClaim:
    return claim_next_appeal(reviewer=reviewer, now=timezone.now())


def aged(claim: AppealClaim, by: timedelta) -> AppealClaim:
    """The same lease, taken earlier: its times are the database's own, so they are moved there."""
    AppealClaim.objects.filter(pk=claim.pk).update(
        claimed_at=claim.claimed_at - by,
        expires_at=claim.expires_at - by,
        hard_expires_at=claim.hard_expires_at - by,
    )
    claim.refresh_from_db()
    return claim


class TestClaimNextAppeal:
    def test_gives_the_one_that_is_due_first(self, reviewer):
        AppealFactory(reply_by=NOW + timedelta(days=9))
        first = AppealFactory(reply_by=NOW + timedelta(days=2))

        held = claim(reviewer)

        assert held.appeal == first
        assert held.epoch == 1
        assert held.expires_at - held.claimed_at == LEASE
        assert held.hard_expires_at - held.claimed_at == HARD_CAP

    def test_gives_back_the_one_that_is_held(self, reviewer):
        AppealFactory()
        AppealFactory()

        assert claim(reviewer) == claim(reviewer)
        assert AppealClaim.objects.count() == 1

    def test_never_gives_one_appeal_to_two_reviewers(self, reviewer, second_reviewer):
        AppealFactory()
        claim(reviewer)

        with pytest.raises(NothingToClaim):
            claim(second_reviewer)

    def test_never_gives_what_was_decided(self, reviewer):
        AppealFactory(
            outcome="UPHELD", reasoning="r", decided_by=UserFactory(), decided_at=NOW
        )

        with pytest.raises(NothingToClaim):
            claim(reviewer)

    def test_never_gives_ones_own_decision(self, reviewer):
        AppealFactory(first_reviewer=reviewer)

        with pytest.raises(NothingToClaim):
            claim(reviewer)

    def test_never_gives_what_one_approved(self, reviewer):
        AppealFactory(first_approver=reviewer)

        with pytest.raises(NothingToClaim):
            claim(reviewer)

    def test_never_gives_what_one_approved_after_the_appeal_was_lodged(self, reviewer):
        appeal = AppealFactory()
        EnforcementFactory(
            content=appeal.grant.decision.flag.content,
            action=Enforcement.Action.DISABLE_ACCOUNT,
            cause_ref=appeal.grant.decision.public_id,
            approved_by=reviewer,
            approved_at=NOW,
        )

        with pytest.raises(NothingToClaim):
            claim(reviewer)

    @pytest.mark.parametrize("change", [{"role": "AUDITOR"}, {"is_active": False}])
    def test_is_for_reviewers_only(self, change):
        AppealFactory()

        with pytest.raises(MayNotReview):
            claim(UserFactory(**change))

    def test_ends_with_the_days_looks(self, reviewer):
        AppealFactory()
        Reveal.objects.bulk_create(
            Reveal(
                reviewer=reviewer,
                content=content,
                derivative="GREY",
                lease_token="t",
                revealed_at=timezone.now(),
            )
            for content in [ContentFactory()] * DAILY_LOOKS
        )

        with pytest.raises(BudgetSpent):
            claim(reviewer)

    def test_takes_over_what_ran_out_with_the_next_epoch(
        self, reviewer, second_reviewer
    ):
        AppealFactory()
        first = aged(claim(reviewer), LEASE)

        second = claim(second_reviewer)

        first.refresh_from_db()
        assert first.ended_why == AppealClaim.Ended.EXPIRED
        assert second.appeal == first.appeal
        assert second.epoch == first.epoch + 1


class TestLease:
    def test_is_renewed_by_a_sign_of_work(self, reviewer):
        held = aged(AppealClaimFactory(reviewer=reviewer), timedelta(minutes=5))
        before = held.expires_at

        assert heartbeat(claim=held, reviewer=reviewer).expires_at > before

    def test_is_never_renewed_past_its_hard_end(self, reviewer):
        held = AppealClaimFactory(reviewer=reviewer)
        end = timezone.now() + timedelta(seconds=30)
        AppealClaim.objects.update(hard_expires_at=end)

        assert heartbeat(claim=held, reviewer=reviewer).expires_at == end

    def test_is_not_renewed_once_it_ran_out(self, reviewer):
        held = aged(AppealClaimFactory(reviewer=reviewer), LEASE)

        with pytest.raises(LeaseLost):
            heartbeat(claim=held, reviewer=reviewer)

    def test_is_not_renewed_by_somebody_else(self, reviewer):
        with pytest.raises(LeaseLost):
            heartbeat(claim=AppealClaimFactory(), reviewer=reviewer)

    def test_is_given_back_once(self, reviewer, second_reviewer):
        held = AppealClaimFactory(reviewer=reviewer)

        release(claim=held, reviewer=reviewer)

        assert claim(second_reviewer).appeal == held.appeal
        with pytest.raises(LeaseLost):
            release(claim=held, reviewer=reviewer)

    def test_is_not_given_back_by_somebody_else(self, reviewer):
        with pytest.raises(LeaseLost):
            release(claim=AppealClaimFactory(), reviewer=reviewer)

    def test_ends_only_when_it_ran_out(self):
        old, fresh = AppealClaimFactory(), AppealClaimFactory()
        aged(old, LEASE)

        assert expire_leases() == 1

        fresh.refresh_from_db()
        assert fresh.ended_at is None


def test_the_queue_of_a_reviewer_is_a_bounded_number_of_queries(
    reviewer, django_assert_max_num_queries
):
    for _ in range(5):
        AppealFactory()

    with django_assert_max_num_queries(22):
        claim(reviewer)

    assert Appeal.objects.open().unclaimed().count() == 4
