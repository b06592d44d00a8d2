"""One reviewer, one flag, for a while; the database refuses anything else."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from moderation.models import AuditEntry, Flag, User
from reviews.models import Claim, Reveal
from reviews.services import (
    AlreadyHolding,
    BudgetSpent,
    LeaseLost,
    MayNotReview,
    NothingToClaim,
    claim_next,
    heartbeat,
    leave,
    release,
)
from tests.factories import NOW, ContentFactory, FlagFactory, UserFactory
from tests.reviews.factories import held_by

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


class TestClaimNext:
    def test_gives_the_most_urgent_open_flag(self, reviewer: User) -> None:
        FlagFactory(priority=40, due_at=NOW)
        urgent = FlagFactory(priority=75, due_at=NOW + timedelta(hours=1))
        FlagFactory(priority=75, due_at=NOW + timedelta(hours=2))
        FlagFactory(priority=99, resolved_at=NOW)

        assert held_by(reviewer).flag == urgent

    def test_writes_a_lease_with_a_token_an_epoch_and_two_ends(
        self, reviewer: User
    ) -> None:
        flag = FlagFactory(lease_epoch=6)

        claim = held_by(reviewer)

        flag.refresh_from_db()
        assert claim.epoch == flag.lease_epoch == 7
        assert len(claim.token) == 32
        assert claim.expires_at - claim.claimed_at == timedelta(minutes=3)
        assert claim.hard_expires_at - claim.claimed_at == timedelta(minutes=15)
        assert AuditEntry.objects.filter(text__contains="claim.taken").exists()

    def test_never_gives_what_somebody_holds(
        self, reviewer: User, second_reviewer: User
    ) -> None:
        FlagFactory()
        held_by(reviewer)

        with pytest.raises(NothingToClaim):
            held_by(second_reviewer)

    def test_gives_one_at_a_time(self, reviewer: User) -> None:
        FlagFactory.create_batch(2)
        claim = held_by(reviewer)

        with pytest.raises(AlreadyHolding) as refusal:
            held_by(reviewer)

        assert refusal.value.claim == claim
        assert Claim.objects.count() == 1

    def test_takes_back_what_ran_out(
        self, reviewer: User, second_reviewer: User
    ) -> None:
        FlagFactory()
        slow = held_by(reviewer)
        Claim.objects.update(expires_at=timezone.now() - SECOND)

        quick = held_by(second_reviewer)

        slow.refresh_from_db()
        assert slow.ended_why == "EXPIRED"
        assert (quick.flag_id, quick.epoch) == (slow.flag_id, slow.epoch + 1)

    def test_gives_what_was_given_back_to_somebody_else_first(
        self, reviewer: User, second_reviewer: User
    ) -> None:
        unwanted, next_best = FlagFactory(priority=90), FlagFactory(priority=10)
        release(claim=held_by(reviewer), reviewer=reviewer)

        assert held_by(reviewer).flag == next_best
        assert held_by(second_reviewer).flag == unwanted

    def test_gives_it_again_when_nothing_else_waits(self, reviewer: User) -> None:
        only = FlagFactory()
        release(claim=held_by(reviewer), reviewer=reviewer)

        assert held_by(reviewer).flag == only

    @pytest.mark.parametrize("change", [{"role": "AUDITOR"}, {"is_active": False}])
    def test_refuses_who_does_not_review(self, change: dict[str, object]) -> None:
        FlagFactory()

        with pytest.raises(MayNotReview):
            held_by(UserFactory(**change))

    def test_refuses_who_has_looked_enough_today(self, reviewer: User) -> None:
        FlagFactory()
        looked(reviewer, 120)
        looked(UserFactory(), 1)

        with pytest.raises(BudgetSpent):
            held_by(reviewer)

    def test_starts_anew_on_the_next_day(self, reviewer: User) -> None:
        FlagFactory()
        looked(reviewer, 120)

        tomorrow = timezone.now() + timedelta(days=1)
        assert claim_next(reviewer=reviewer, now=tomorrow).reviewer == reviewer


class TestTheDatabase:
    def test_refuses_a_second_active_claim_of_a_flag(
        self, reviewer: User, second_reviewer: User
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        with pytest.raises(IntegrityError), transaction.atomic():
            copy_of(claim, reviewer=second_reviewer, epoch=99)

    def test_refuses_a_second_active_claim_of_a_reviewer(self, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        with pytest.raises(IntegrityError), transaction.atomic():
            copy_of(claim, flag=FlagFactory())

    def test_refuses_an_epoch_used_twice(
        self, reviewer: User, second_reviewer: User
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        release(claim=claim, reviewer=reviewer)

        with pytest.raises(IntegrityError), transaction.atomic():
            copy_of(claim, reviewer=second_reviewer)


class TestHeartbeat:
    def test_keeps_the_lease(self, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        Claim.objects.update(expires_at=timezone.now() + SECOND)

        heartbeat(claim=claim, reviewer=reviewer)

        assert claim.expires_at > timezone.now() + timedelta(minutes=2)

    def test_never_passes_the_hard_end(self, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        hard_end = timezone.now() + timedelta(seconds=30)
        Claim.objects.update(hard_expires_at=hard_end)

        heartbeat(claim=claim, reviewer=reviewer)

        assert claim.expires_at == claim.hard_expires_at

    def test_does_not_wake_a_lease_that_ran_out(self, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        Claim.objects.update(expires_at=timezone.now() - SECOND)

        with pytest.raises(LeaseLost):
            heartbeat(claim=claim, reviewer=reviewer)

    def test_is_for_the_holder_only(
        self, reviewer: User, second_reviewer: User
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        with pytest.raises(LeaseLost):
            heartbeat(claim=claim, reviewer=second_reviewer)


class TestLeave:
    def test_leaves_just_the_time_to_come_back(self, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        leave(claim=claim, reviewer=reviewer)

        claim.refresh_from_db()
        left = claim.expires_at - timezone.now()
        assert timedelta(0) < left <= timedelta(seconds=30)
        heartbeat(claim=claim, reviewer=reviewer)
        assert claim.expires_at > timezone.now() + timedelta(minutes=2)

    def test_never_makes_a_lease_longer(self, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        soon = timezone.now() + timedelta(seconds=5)
        Claim.objects.update(expires_at=soon)

        leave(claim=claim, reviewer=reviewer)

        claim.refresh_from_db()
        assert claim.expires_at == soon


class TestRelease:
    def test_frees_the_flag_at_once(
        self, reviewer: User, second_reviewer: User
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        release(claim=claim, reviewer=reviewer)

        claim.refresh_from_db()
        assert claim.ended_why == "RELEASED"
        assert held_by(second_reviewer).flag_id == claim.flag_id
        assert Flag.objects.open().count() == 1

    def test_is_refused_the_second_time(self, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        release(claim=claim, reviewer=reviewer)

        with pytest.raises(LeaseLost):
            release(claim=claim, reviewer=reviewer)


def looked(reviewer: User, times: int) -> None:
    content, now = ContentFactory(), timezone.now()
    Reveal.objects.bulk_create(
        Reveal(reviewer=reviewer, content=content, derivative="GREY", revealed_at=now)
        for _ in range(times)
    )


def copy_of(claim: Claim, **changes: object) -> Claim:
    fields = {
        "flag": claim.flag,
        "reviewer": claim.reviewer,
        "epoch": claim.epoch,
        "claimed_at": claim.claimed_at,
        "expires_at": claim.expires_at,
        "hard_expires_at": claim.hard_expires_at,
    }
    return Claim.objects.create(**{**fields, **changes})
