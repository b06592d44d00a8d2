import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from appeals.models import Appeal, AppealClaim
from appeals.services import (
    AlreadyTakenBack,
    AppealDecided,
    NoReasoning,
    TookPartBefore,
    claim_next_appeal,
    decide_appeal,
    lodge,
    release,
)
from moderation.models import (
    AuditEntry,
    BankedHash,
    Content,
    Enforcement,
    HashException,
    Match,
    Notice,
    PlatformAccount,
)
from moderation.services import bank_hash
from reviews.services import LeaseLost, MayNotReview
from tests.appeals.factories import AppealClaimFactory, AppealFactory, GrantFactory
from tests.appeals.letters import read
from tests.factories import (
    NOW,
    BankedHashFactory,
    ContentFactory,
    DecisionFactory,
    EnforcementFactory,
    FlagFactory,
    HashBankFactory,
    MatchFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=3)


def decide(claim, outcome=Appeal.Outcome.OVERTURNED, *, reviewer=None, reasoning="R."):
    return decide_appeal(
        claim_token=claim.token,
        reviewer=reviewer or claim.reviewer,
        outcome=outcome,
        reasoning=reasoning,
        now=LATER,
    )


def ordered(claim, action, **fields):
    """An order of the contested decision."""
    decision = claim.appeal.grant.decision
    return EnforcementFactory(
        content=decision.flag.content,
        action=action,
        cause_ref=decision.public_id,
        ordered_by=decision.reviewer,
        **fields,
    )


def actions(claim):
    return {
        order.action: order
        for order in Enforcement.objects.filter(cause_ref=claim.appeal.receipt)
    }


DONE = {"work_state": "DONE", "done_at": NOW}
HELD_BACK = {"work_state": "HELD_BACK", "needs_approval": True}


class TestUphold:
    def test_ends_the_appeal_and_the_lease(self):
        claim = AppealClaimFactory()

        appeal = decide(claim, Appeal.Outcome.UPHELD, reasoning=" The signs stand. ")

        claim.refresh_from_db()
        appeal.refresh_from_db()
        assert (appeal.outcome, appeal.reasoning) == ("UPHELD", "The signs stand.")
        assert (appeal.decided_by, appeal.decided_at) == (claim.reviewer, LATER)
        assert claim.ended_why == AppealClaim.Ended.DECIDED

    def test_changes_nothing_of_the_first_decision(self):
        claim = AppealClaimFactory()
        removal = ordered(claim, "REMOVE", **DONE)
        MatchFactory(content=removal.content)

        decide(claim, Appeal.Outcome.UPHELD)

        claim.appeal.grant.decision.refresh_from_db()
        assert claim.appeal.grant.decision.overturned_at is None
        assert not actions(claim)
        assert not HashException.objects.exists()

    def test_tells_the_account_with_reasons(self):
        claim = AppealClaimFactory()

        decide(claim, Appeal.Outcome.UPHELD, reasoning="The signs stand.")

        notice = Notice.objects.get(kind=Notice.Kind.APPEAL_DECIDED)
        subject, body = read(notice)
        assert notice.account == claim.appeal.grant.decision.flag.content.account
        assert subject == "Your appeal was decided"
        assert body.startswith(f"The decision of {NOW:%-d %B %Y} stays.")
        assert "Reason: The signs stand." in body

    def test_is_audited_without_the_reasons(self):
        decide(AppealClaimFactory(), reasoning="planted-reasons")

        texts = AuditEntry.objects.values_list("text", flat=True)
        assert sum('"appeal.decided"' in text for text in texts) == 1
        assert not any("planted-reasons" in text for text in texts)


class TestOverturn:
    def test_restores_the_post_and_the_account(self):
        claim = AppealClaimFactory()
        removal = ordered(claim, "REMOVE", **DONE)
        closing = ordered(
            claim,
            "DISABLE_ACCOUNT",
            needs_approval=True,
            approved_by=UserFactory(),
            approved_at=NOW,
            **DONE,
        )

        decide(claim)

        orders = actions(claim)
        assert set(orders) == {"RESTORE", "ENABLE_ACCOUNT"}
        assert orders["RESTORE"].reverses == removal
        assert orders["ENABLE_ACCOUNT"].reverses == closing
        claim.appeal.grant.decision.refresh_from_db()
        assert claim.appeal.grant.decision.overturned_at == LATER

    def test_takes_back_the_closing_that_waits_for_approval(self):
        claim = AppealClaimFactory()
        closing = ordered(claim, "DISABLE_ACCOUNT", **HELD_BACK)

        decide(claim)

        closing.refresh_from_db()
        assert closing.work_state == "CANCELLED"
        assert not actions(claim)

    def test_ends_the_machines_hold_when_the_removal_had_not_begun(self):
        claim = AppealClaimFactory()
        content = claim.appeal.grant.decision.flag.content
        content.see(Content.Visibility.HELD)
        hold = EnforcementFactory(content=content, action="HOLD", **DONE)
        removal = ordered(claim, "REMOVE")

        decide(claim)

        removal.refresh_from_db()
        assert removal.work_state == "CANCELLED"
        assert actions(claim)["RELEASE"].reverses == hold

    def test_leaves_the_hold_alone_when_the_restoring_ends_it_too(self):
        claim = AppealClaimFactory()
        content = claim.appeal.grant.decision.flag.content
        EnforcementFactory(content=content, action="HOLD", **DONE)
        ordered(claim, "REMOVE", **DONE)

        decide(claim)

        assert set(actions(claim)) == {"RESTORE"}

    def test_excepts_this_content_only_and_keeps_the_fingerprint(self):
        """T-20: a decoy's appeal never frees the picture that it imitates."""
        claim = AppealClaimFactory()
        content = claim.appeal.grant.decision.flag.content
        banked = BankedHashFactory(standing=BankedHash.Standing.CLAIMED)
        MatchFactory(content=content, banked_hash=banked)
        other = MatchFactory(banked_hash=banked)
        open_flag = FlagFactory(content=other.content)
        other_removal = EnforcementFactory(content=other.content, **DONE)

        decide(claim)

        assert BankedHash.objects.live().filter(pk=banked.pk).exists()
        assert Match.objects.filter(pk=other.pk, banked_hash=banked).exists()
        assert list(HashException.objects.values_list("content", flat=True)) == [
            content.pk
        ]
        open_flag.refresh_from_db()
        assert open_flag.is_open
        assert not other_removal.reversed_by.exists()

    def test_takes_out_what_the_decision_itself_had_banked(self):
        HashBankFactory(slug="confirmed")
        claim = AppealClaimFactory()
        mine, other = (
            bank_hash(
                bank="confirmed",
                signal_type="pdq",
                value=hashlib.sha256(bytes([number])).digest(),
                quality=100,
                source_ref=ref,
                actor="system",
                now=NOW,
            )
            for number, ref in enumerate(
                [claim.appeal.grant.decision.public_id, "another-source"], 1
            )
        )

        decide(claim)

        assert not BankedHash.objects.filter(pk=mine.pk).exists()
        assert BankedHash.objects.filter(pk=other.pk).exists()

    def test_tells_the_account_that_everything_is_as_before(self):
        decide(AppealClaimFactory(appeal=AppealFactory(language="en")))

        _, body = read(Notice.objects.get(kind=Notice.Kind.APPEAL_DECIDED))
        assert body.startswith(
            f"The decision of {NOW:%-d %B %Y} was changed. "
            "The post and the account are as they were before. The points are taken back."
        )

    def test_leaves_no_half_of_it_when_a_part_is_refused(self):
        claim = AppealClaimFactory()
        ordered(claim, "REMOVE", **DONE)

        with pytest.raises(NoReasoning):
            decide(claim, reasoning=" \n ")

        claim.refresh_from_db()
        assert claim.ended_at is None
        assert not actions(claim)
        assert PlatformAccount.objects.get().state == "ACTIVE"


class TestRefusals:
    def test_does_not_say_that_a_decision_stays_which_was_taken_back(self):
        claim = AppealClaimFactory()
        claim.appeal.grant.decision.overturn(NOW)

        with pytest.raises(AlreadyTakenBack):
            decide(claim, Appeal.Outcome.UPHELD)

        claim.refresh_from_db()
        assert claim.ended_at is None
        assert decide(claim, Appeal.Outcome.OVERTURNED).outcome == "OVERTURNED"
        assert not Enforcement.objects.exists()

    def test_decides_once(self):
        claim = AppealClaimFactory()
        decide(claim, Appeal.Outcome.UPHELD)

        with pytest.raises(AppealDecided):
            decide(claim, Appeal.Outcome.OVERTURNED)

        claim.appeal.refresh_from_db()
        assert claim.appeal.outcome == "UPHELD"
        assert Notice.objects.count() == 1

    def test_is_fenced_against_a_lease_that_ran_out(self):
        claim = AppealClaimFactory(expires_at=timezone.now() - timedelta(seconds=1))

        with pytest.raises(LeaseLost):
            decide(claim)

    def test_is_fenced_against_the_hard_end(self):
        claim = AppealClaimFactory(
            hard_expires_at=timezone.now() - timedelta(seconds=1)
        )

        with pytest.raises(LeaseLost):
            decide(claim)

    def test_is_fenced_against_a_lease_that_somebody_took_over(self):
        old = AppealClaimFactory()
        release(claim=old, reviewer=old.reviewer)
        new = claim_next_appeal(reviewer=UserFactory(), now=timezone.now())

        with pytest.raises(LeaseLost):
            decide(old)

        assert decide(new).decided_by == new.reviewer

    def test_is_fenced_against_an_older_epoch(self):
        claim = AppealClaimFactory()
        Appeal.objects.update(lease_epoch=claim.epoch + 1)

        with pytest.raises(LeaseLost):
            decide(claim)

    def test_is_fenced_against_another_reviewers_token(self):
        with pytest.raises(LeaseLost):
            decide(AppealClaimFactory(), reviewer=UserFactory())

    def test_is_for_reviewers_only(self):
        claim = AppealClaimFactory(reviewer=UserFactory(role="AUDITOR"))

        with pytest.raises(MayNotReview):
            decide(claim)

    def test_refuses_who_decided_first(self):
        appeal = AppealFactory()
        claim = AppealClaimFactory(appeal=appeal, reviewer=appeal.first_reviewer)

        with pytest.raises(TookPartBefore):
            decide(claim)

    def test_refuses_who_approved_after_taking_the_appeal(self):
        claim = AppealClaimFactory()
        ordered(
            claim,
            "DISABLE_ACCOUNT",
            needs_approval=True,
            approved_by=claim.reviewer,
            approved_at=NOW,
            **DONE,
        )

        with pytest.raises(TookPartBefore):
            decide(claim)

        claim.appeal.refresh_from_db()
        assert claim.appeal.is_open

    def test_notes_who_approved_after_the_appeal_was_lodged(self):
        claim = AppealClaimFactory()
        approver = UserFactory()
        ordered(
            claim,
            "DISABLE_ACCOUNT",
            needs_approval=True,
            approved_by=approver,
            approved_at=NOW,
            **DONE,
        )

        assert decide(claim).first_approver == approver


def test_a_decoy_cannot_reach_its_own_reviewer_through_the_whole_walk(reviewer):
    """Lodge, claim and overturn, as the desk does it, with an unrelated appeal waiting."""
    grant = GrantFactory(decision=DecisionFactory(reviewer=reviewer))
    AppealFactory(
        reply_by=NOW - timedelta(days=1),
        grant=GrantFactory(decision__flag__content=ContentFactory()),
        first_reviewer=reviewer,
    )
    appeal = lodge(grant=grant, ground="MISTAKEN", words="", language="en", now=NOW)
    second = UserFactory()

    first_claim = claim_next_appeal(reviewer=second, now=timezone.now())

    assert first_claim.appeal != appeal  # the older one comes first
    decide(first_claim)
    assert decide(claim_next_appeal(reviewer=second, now=timezone.now())) == appeal
