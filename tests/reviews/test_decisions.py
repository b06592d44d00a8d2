"""An answer is written once, with everything that it orders, or not at all."""

import hashlib
import json
import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from moderation.models import (
    AuditEntry,
    BankedHash,
    Enforcement,
    Flag,
    HashException,
    Notice,
    User,
)
from moderation.services import order_enforcement
from moderation.storage import open_text
from reviews.models import AppealGrant, Claim, Decision, Policy
from reviews.services import (
    AlreadyDecided,
    FlagChanged,
    LeaseLost,
    MayNotReview,
    PolicyMismatch,
    claim_next,
    expire_leases,
    release,
)
from tests.factories import (
    EnforcementFactory,
    FlagFactory,
    MatchFactory,
    PolicyFactory,
    UserFactory,
)
from tests.reviews.factories import answer, held_by

pytestmark = pytest.mark.django_db


class TestDecide:
    def test_closes_the_flag_and_orders_the_removal(
        self, reviewer: User, policy: Policy
    ) -> None:
        flag, other = FlagFactory(), FlagFactory(priority=1)

        decision = answer(held_by(reviewer), policy)

        flag.refresh_from_db()
        other.refresh_from_db()
        assert (flag.is_open, other.is_open) == (False, True)
        assert decision.flag == flag
        removal = Enforcement.objects.get(action="REMOVE")
        assert removal.content == flag.content
        assert removal.cause_ref == decision.public_id
        assert removal.work_state == "WAITING"

    def test_makes_closing_the_account_wait_for_a_second_person(
        self, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()

        answer(held_by(reviewer), policy)

        order = Enforcement.objects.get(action="DISABLE_ACCOUNT")
        assert order.work_state == "HELD_BACK"
        with pytest.raises(IntegrityError), transaction.atomic():
            Enforcement.objects.filter(pk=order.pk).update(
                approved_by=reviewer, approved_at=timezone.now()
            )

    def test_leaves_the_account_alone_if_the_reviewer_says_so(
        self, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()

        answer(held_by(reviewer), policy, disables_account=False)

        assert not Enforcement.objects.filter(action="DISABLE_ACCOUNT").exists()

    def test_confirms_the_fingerprints_that_matched(
        self, reviewer: User, policy: Policy
    ) -> None:
        match, other = MatchFactory(), MatchFactory()
        FlagFactory(content=match.content, source=Flag.Source.HASH_MATCH)

        answer(held_by(reviewer), policy)

        standing = BankedHash.objects.in_bulk(
            [match.banked_hash_id, other.banked_hash_id]
        )
        assert standing[match.banked_hash_id].standing == "CONFIRMED"
        assert standing[other.banked_hash_id].standing == "CLAIMED"

    def test_tells_the_account_and_gives_it_a_way_to_disagree(
        self, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()

        decision = answer(held_by(reviewer), policy)

        notice = Notice.objects.get(kind="STATEMENT_OF_REASONS")
        assert notice.account == decision.flag.content.account
        body = json.loads(open_text(notice.text_sealed, "notice"))["body"]
        raw = re.search(r"/again/([\w-]{43})/", body)
        assert raw
        grant = AppealGrant.objects.get(decision=decision)
        assert grant.token_sha256 == hashlib.sha256(raw[1].encode()).hexdigest()

    def test_writes_one_entry_without_words(
        self, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()

        decision = answer(held_by(reviewer), policy, private_notes="check the slang")

        entry = AuditEntry.objects.get(text__contains="flag.decided")
        assert entry.facts["target"] == f"reviews.decision:{decision.pk}"
        assert entry.facts["actor"] == f"user:{reviewer.pk}"
        assert "slang" not in entry.text
        assert decision.reasoning not in entry.text

    def test_shows_held_content_again_and_excepts_it_if_it_is_in_order(
        self, reviewer: User, keep: Policy
    ) -> None:
        match = MatchFactory()
        FlagFactory(content=match.content, source=Flag.Source.HASH_MATCH)
        hold = EnforcementFactory(
            content=match.content,
            action="HOLD",
            work_state="DONE",
            done_at=timezone.now(),
        )

        decision = answer(held_by(reviewer), keep)

        shown = Enforcement.objects.get(action="RELEASE")
        assert (shown.content, shown.reverses) == (match.content, hold)
        exception = HashException.objects.get()
        assert exception.banked_hash == match.banked_hash
        assert exception.reason_ref == decision.public_id
        assert not Notice.objects.exists()
        assert not AppealGrant.objects.exists()

    def test_takes_back_a_hold_that_has_not_begun(
        self, reviewer: User, keep: Policy
    ) -> None:
        flag = FlagFactory()
        hold = order_enforcement(
            content=flag.content,
            action=Enforcement.Action.HOLD,
            cause_ref=flag.content.public_id,
            actor=None,
            now=timezone.now(),
        )

        answer(held_by(reviewer), keep)

        hold.refresh_from_db()
        assert hold.work_state == "CANCELLED"
        assert not Enforcement.objects.filter(action="RELEASE").exists()

    def test_orders_nothing_for_what_was_never_hidden(
        self, reviewer: User, keep: Policy
    ) -> None:
        FlagFactory()

        answer(held_by(reviewer), keep)

        assert not Enforcement.objects.exists()

    def test_leaves_nothing_behind_if_the_statement_has_a_hole(
        self, reviewer: User
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        with pytest.raises(Exception, match="policy_public_text"):
            answer(claim, PolicyFactory(public_text=" "))

        assert Flag.objects.open().count() == 1
        assert not Decision.objects.exists()
        assert not Enforcement.objects.exists()
        claim.refresh_from_db()
        assert claim.ended_at is None


class TestDecideRefuses:
    def test_a_second_answer(self, reviewer: User, policy: Policy) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        answer(claim, policy)

        with pytest.raises(AlreadyDecided):
            answer(claim, policy)

        assert Decision.objects.count() == 1
        assert Notice.objects.count() == 1

    def test_a_lease_that_ran_out(self, reviewer: User, policy: Policy) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        with pytest.raises(LeaseLost):
            answer(claim, policy)

        assert not Decision.objects.exists()

    def test_a_lease_past_its_hard_end(self, reviewer: User, policy: Policy) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        Claim.objects.update(hard_expires_at=timezone.now() - timedelta(seconds=1))

        with pytest.raises(LeaseLost):
            answer(claim, policy)

    def test_the_one_whose_flag_was_claimed_by_another(
        self, reviewer: User, second_reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()
        slow = held_by(reviewer)
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        quick = held_by(second_reviewer)

        with pytest.raises(LeaseLost):
            answer(slow, policy)

        assert quick.flag_id == slow.flag_id
        assert quick.epoch == slow.epoch + 1
        assert answer(quick, policy).reviewer == second_reviewer

    def test_somebody_elses_token(
        self, reviewer: User, second_reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        with pytest.raises(LeaseLost):
            answer(claim, policy, reviewer=second_reviewer)

    def test_a_claim_that_was_given_back(self, reviewer: User, policy: Policy) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        release(claim=claim, reviewer=reviewer)

        with pytest.raises(LeaseLost):
            answer(claim, policy)

    def test_an_answer_to_older_evidence(self, reviewer: User, policy: Policy) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        Flag.objects.update(version=2)

        with pytest.raises(FlagChanged):
            answer(claim, policy, version=1)

    def test_an_outcome_that_the_policy_does_not_have(
        self, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()

        with pytest.raises(PolicyMismatch):
            answer(held_by(reviewer), policy, removes=False, disables_account=False)

    def test_a_policy_that_passes_on(self, reviewer: User) -> None:
        FlagFactory()
        passing = PolicyFactory(outcome=Policy.Outcome.PASSES_ON)

        with pytest.raises(PolicyMismatch):
            answer(held_by(reviewer), passing)

    def test_a_role_that_does_not_review(self, reviewer: User, policy: Policy) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        User.objects.update(role=User.Role.AUDITOR)
        claim.reviewer.refresh_from_db()

        with pytest.raises(MayNotReview):
            answer(claim, policy)


def test_an_expired_lease_ends_once_and_the_flag_is_free_again() -> None:
    FlagFactory()
    first = held_by(UserFactory())
    Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert (expire_leases(), expire_leases()) == (1, 0)

    first.refresh_from_db()
    assert first.ended_why == "EXPIRED"
    again = claim_next(reviewer=UserFactory(), now=timezone.now())
    assert again.flag_id == first.flag_id
