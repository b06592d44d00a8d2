"""How people look at what a machine removed, and what stops it when it is wrong (T-21)."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from appeals.models import Appeal
from appeals.services import claim_next_appeal, decide_appeal, lodge
from moderation.models import (
    AuditEntry,
    Enforcement,
    Flag,
    HashBank,
    HashException,
    Notice,
    User,
)
from moderation.services import (
    allow_removal,
)
from reviews.models import Decision, Sample
from reviews.pipeline import decide_automatically
from reviews.services import claim_next
from tests.appeals.letters import read
from tests.factories import (
    NOW,
    DecisionFactory,
    UserFactory,
)
from tests.reviews.automatic import confirmed, found, removing, seniors
from tests.reviews.factories import answer, at, held_by

pytestmark = pytest.mark.django_db


class TestSample:
    def test_asks_a_person_about_some_by_a_lot_that_can_be_drawn_again(
        self, rule
    ) -> None:
        banked = confirmed(rule)
        for _ in range(40):
            found(banked)

        decide_automatically(NOW)

        samples = Sample.objects.select_related("decision")
        assert samples.count() == 40
        for sample in samples:
            token = f"sample/{sample.decision.public_id}".encode()
            lot = int.from_bytes(hashlib.sha256(token).digest()[:8], "big") % 10_000
            assert sample.draw == lot
            assert (sample.flag is not None) == (lot < 500)

    def test_looks_like_any_other_question(
        self, rule, reviewer, desk, settings
    ) -> None:
        """Blind: whoever knew that it is removed already would find that it was right."""
        settings.AUTOMATIC_SAMPLE_PERCENT = 0
        flag = found(confirmed(rule))
        before = _page(desk, reviewer, flag)
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        Flag.objects.filter(pk=flag.pk).update(lease_epoch=0)
        decide_automatically(NOW)
        _carried_out(flag)

        sample = Sample.objects.get().flag
        assert sample is not None
        assert sample.source == Flag.Source.SAMPLE
        assert _page(desk, reviewer, sample) == before

    def test_is_counted_among_the_matches(self, rule, desk, settings) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        banked = confirmed(rule)
        found(banked)
        decide_automatically(NOW)
        found(banked, distance=20)

        page = desk.get(at("queue")).content.decode()

        assert page.count("A match") == 1
        assert "2 are waiting" in page
        assert "automatic" not in page

    def test_changes_nothing_when_the_person_agrees(
        self, rule, reviewer, settings
    ) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        flag = found(confirmed(rule))
        decide_automatically(NOW)

        answer(held_by(reviewer), rule, disables_account=False)

        sample = Sample.objects.get()
        assert (sample.is_right, sample.judged_by) == (True, reviewer)
        assert Enforcement.objects.filter(action="REMOVE").count() == 1
        assert not Enforcement.objects.filter(action="RESTORE").exists()
        assert Notice.objects.filter(account=flag.content.account).count() == 1
        assert Decision.objects.standing().filter(flag=flag).exists()

    def test_lets_the_person_close_the_account_with_a_second_one(
        self, rule, reviewer, settings
    ) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        found(confirmed(rule))
        decide_automatically(NOW)

        decision = answer(held_by(reviewer), rule)

        order = Enforcement.objects.get(action="DISABLE_ACCOUNT")
        assert (order.work_state, order.cause_ref) == (
            "HELD_BACK",
            decision.public_id,
        )
        assert Notice.objects.filter(cause_ref=decision.public_id).exists()

    def test_is_undone_when_the_person_would_have_kept_it(
        self, rule, keep, reviewer, settings
    ) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        banked = confirmed(rule)
        flag = found(banked)
        decide_automatically(NOW)
        _carried_out(flag)

        decision = answer(held_by(reviewer), keep)

        flag.decision.refresh_from_db()
        assert flag.decision.overturned_at is not None
        restore = Enforcement.objects.get(action="RESTORE")
        assert restore.cause_ref == decision.public_id
        assert not Enforcement.objects.filter(action="RELEASE").exists()
        assert HashException.objects.get(banked_hash=banked).content == flag.content
        assert Sample.objects.get().is_right is False
        subject, body = read(Notice.objects.get(kind="DECISION_REVERSED"))
        assert subject == "We took a decision back"
        assert "mistake of ours" in body
        # And the next copy is a question for a person again.
        found(banked)
        assert decide_automatically(NOW) == 0

    def test_ends_the_hold_when_the_removal_had_not_begun(
        self, rule, keep, reviewer, settings
    ) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        found(confirmed(rule))
        decide_automatically(NOW)

        answer(held_by(reviewer), keep)

        assert Enforcement.objects.get(action="REMOVE").work_state == "CANCELLED"
        assert Enforcement.objects.filter(action="RELEASE").count() == 1


def _page(desk, reviewer: User, flag: Flag) -> str:
    """What a reviewer sees of a question, without what differs from one claim to the next."""
    claim = claim_next(reviewer=reviewer, now=timezone.now())
    assert claim.flag == flag
    page = desk.get(at("item", claim.pk)).content.decode()
    desk.post(at("release", claim.pk), follow=True)
    page = page.replace(f"/items/{claim.pk}/", "/items/N/")
    page = page.replace(f"#{flag.pk}<", "#N<").replace(claim.token, "T")
    page = re.sub(r'(csrf\w*token" value|nonce|data-[\w-]*left)="[^"]*"', "", page)
    page = re.sub(r"\d+ d \d+ h|\d+ h \d+ min|\d+ min|overdue|\d+:\d\d", "T", page)
    page = re.sub(r"\d+ \w{3}, T", "T", page)
    return re.sub(r'width="\d+"|clock near|class="clock"', "", page)


def _carried_out(flag: Flag) -> None:
    Enforcement.objects.filter(content=flag.content).update(
        work_state="DONE", done_at=NOW, started_at=NOW, attempt_count=1
    )
    flag.content.see("REMOVED")


def overturned_by_appeal(decision: Decision, reviewer: User) -> Appeal:
    lodge(grant=decision.grants.get(), ground="OTHER", words="", language="en", now=NOW)
    claim = claim_next_appeal(reviewer=reviewer, now=timezone.now())
    return decide_appeal(
        claim_token=claim.token,
        reviewer=reviewer,
        outcome=Appeal.Outcome.OVERTURNED,
        reasoning="It was a mistake.",
        now=NOW,
    )


class TestAppeal:
    def test_is_answered_by_any_person(self, rule, reviewer, settings) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 0
        flag = found(confirmed(rule))
        decide_automatically(NOW)
        _carried_out(flag)

        appeal = overturned_by_appeal(flag.decision, reviewer)

        assert (appeal.first_reviewer, appeal.decided_by) == (None, reviewer)
        assert Enforcement.objects.get(action="RESTORE").cause_ref == appeal.receipt
        assert HashException.objects.filter(content=flag.content).exists()
        sample = Sample.objects.get()
        assert (sample.is_right, sample.judged_by) == (False, reviewer)

    def test_is_not_answered_by_who_found_the_machine_right(
        self, rule, reviewer, second_reviewer, settings
    ) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        flag = found(confirmed(rule))
        decide_automatically(NOW)
        answer(held_by(reviewer), rule)
        lodge(
            grant=flag.decision.grants.get(),
            ground="OTHER",
            words="",
            language="en",
            now=NOW,
        )

        open_ = Appeal.objects.open()
        assert not open_.for_reviewer(reviewer.pk).exists()
        assert open_.for_reviewer(second_reviewer.pk).exists()

    def test_undoes_what_the_person_ordered_who_found_the_machine_right(
        self, rule, reviewer, second_reviewer, settings
    ) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        banked = confirmed(rule)
        flag = found(banked)
        decide_automatically(NOW)
        _carried_out(flag)
        person = answer(held_by(reviewer), rule)

        overturned_by_appeal(flag.decision, second_reviewer)

        person.refresh_from_db()
        assert person.overturned_at is not None
        closing = Enforcement.objects.get(action="DISABLE_ACCOUNT")
        assert closing.work_state == "CANCELLED"
        assert Enforcement.objects.filter(action="RESTORE").count() == 1
        assert Sample.objects.get().is_right is False

    def test_closes_the_question_if_that_was_right(
        self, rule, reviewer, settings
    ) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        flag = found(confirmed(rule))
        decide_automatically(NOW)

        overturned_by_appeal(flag.decision, reviewer)

        assert not Flag.objects.open().exists()

    def test_tells_the_truth_on_its_page(self, rule, client, settings) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 0
        found(confirmed(rule))
        decide_automatically(timezone.now())
        _, body = read(Notice.objects.get(kind="STATEMENT_OF_REASONS"))
        path = re.search(r"/again/[\w-]{43}/", body)
        assert path

        page = client.post(path[0], follow=True).content.decode()

        assert "decided by automatic means" in page


class TestBreaker:
    def judged(self, rule, bank: HashBank, right: int, wrong: int) -> None:
        """Earlier automatic decisions, and what people said of them, in this order."""
        judge = UserFactory()
        for number in range(right + wrong):
            decision = DecisionFactory(
                is_automatic=True, reviewer=None, disables_account=False, policy=rule
            )
            Sample.objects.create(
                decision=decision,
                bank=bank,
                draw=number,
                is_right=number < right,
                judged_by=judge,
                judged_at=NOW + timedelta(seconds=number),
            )

    def one_more_wrong(self, rule, keep, reviewer, settings, banked) -> None:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        found(banked)
        assert decide_automatically(NOW) == 1
        answer(held_by(reviewer), keep)

    def test_falls_back_to_hold_at_the_second_wrong_one_of_200(
        self, rule, keep, reviewer, settings, caplog
    ) -> None:
        banked = confirmed(rule)
        self.judged(rule, banked.bank, right=150, wrong=1)

        self.one_more_wrong(rule, keep, reviewer, settings, banked)

        banked.bank.refresh_from_db()
        assert banked.bank.automatic == HashBank.Automatic.HOLD
        entry = AuditEntry.objects.get(text__contains="bank.removal_stopped")
        assert entry.facts["actor"] == "breaker"
        assert entry.facts["details"] == {"wrong": 2}
        assert any(
            record.levelname == "ERROR" and "breaker_fell" in record.getMessage()
            for record in caplog.records
        )
        found(confirmed(rule, banked.bank))
        assert decide_automatically(NOW) == 0

    def test_bears_one_in_200(self, rule, keep, reviewer, settings) -> None:
        banked = confirmed(rule)
        self.judged(rule, banked.bank, right=199, wrong=0)

        self.one_more_wrong(rule, keep, reviewer, settings, banked)

        banked.bank.refresh_from_db()
        assert banked.bank.automatic == HashBank.Automatic.REMOVE

    def test_forgets_what_is_more_than_200_ago(
        self, rule, keep, reviewer, settings
    ) -> None:
        banked = confirmed(rule)
        self.judged(rule, banked.bank, right=0, wrong=1)
        self.judged(rule, banked.bank, right=199, wrong=0)
        Sample.objects.filter(is_right=False).update(judged_at=NOW - timedelta(days=1))

        self.one_more_wrong(rule, keep, reviewer, settings, banked)

        banked.bank.refresh_from_db()
        assert banked.bank.automatic == HashBank.Automatic.REMOVE

    def test_hangs_on_each_bank_alone(self, rule, keep, reviewer, settings) -> None:
        banked = confirmed(rule)
        other = removing("other")
        self.judged(rule, other, right=0, wrong=1)

        self.one_more_wrong(rule, keep, reviewer, settings, banked)

        banked.bank.refresh_from_db()
        assert banked.bank.automatic == HashBank.Automatic.REMOVE

    def test_starts_anew_when_two_people_let_it_remove_again(
        self, rule, keep, reviewer, settings
    ) -> None:
        banked = confirmed(rule)
        self.judged(rule, banked.bank, right=0, wrong=1)
        by, second = seniors()
        again = NOW + timedelta(hours=1)
        allow_removal(bank=banked.bank, by=by, approved_by=second, now=again)
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        found(banked)
        decide_automatically(again)

        answer(held_by(reviewer), keep)

        banked.bank.refresh_from_db()
        assert banked.bank.automatic == HashBank.Automatic.REMOVE
