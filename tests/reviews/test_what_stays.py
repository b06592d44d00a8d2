"""What a revocation leaves as it is, because something else backs it as well."""

from typing import Any

import pytest

from moderation.models import (
    BankedHash,
    Enforcement,
    Flag,
    HashParent,
    PlatformAccount,
)
from moderation.pipeline import withdraw_orphans
from moderation.services import (
    find_source,
)
from reviews.models import Decision, Policy
from reviews.pipeline import decide_automatically
from reviews.services import (
    dry_run,
)
from tests.factories import (
    NOW,
    BankedHashFactory,
    ContentFactory,
    DecisionFactory,
    EnforcementFactory,
    FlagFactory,
    MatchFactory,
)
from tests.reviews.automatic import confirmed, found
from tests.reviews.factories import answer, held_by
from tests.reviews.worlds import S, T, begun, carried_out

pytestmark = pytest.mark.django_db


class TestWhatStays:
    """Effects that something else backs as well."""

    def decided(self, **flag: Any) -> Decision:
        found = MatchFactory(banked_hash__source_ref=S)
        question = FlagFactory(
            content=found.content,
            resolved_at=NOW,
            **{"source": Flag.Source.HASH_MATCH, **flag},
        )
        return DecisionFactory(flag=question)

    @pytest.mark.parametrize(
        "flag",
        [
            {"source": Flag.Source.USER_REPORT},
            {"source": Flag.Source.REMOVAL_REQUEST},
            {"priority_parts": [{"part": "near_nude", "points": 30}]},
        ],
    )
    def test_a_decision_that_somebody_else_asked_for(self, flag) -> None:
        decision = self.decided(**flag)

        carried_out(begun())

        decision.refresh_from_db()
        assert decision.overturned_at is None

    def test_a_decision_whose_other_source_was_withdrawn_since(self) -> None:
        """A withdrawal takes back no answer, so it must not by way of somebody else's revocation."""
        decision = self.decided()
        other = MatchFactory(content=decision.flag.content)
        other.banked_hash.delete()

        carried_out(begun())

        decision.refresh_from_db()
        assert decision.overturned_at is None

    def test_not_a_decision_whose_other_source_was_revoked_before(self) -> None:
        decision = self.decided()
        MatchFactory(content=decision.flag.content, banked_hash__source_ref=T)

        carried_out(begun(T))
        decision.refresh_from_db()
        assert decision.overturned_at is None
        carried_out(begun(S))

        decision.refresh_from_db()
        assert decision.overturned_at is not None

    def test_a_hold_on_what_could_not_be_compared_yet(self) -> None:
        waiting = ContentFactory(work_state="WAITING", done_at=None)
        MatchFactory(content=waiting, banked_hash__source_ref=S)
        hold = EnforcementFactory(
            content=waiting, action="HOLD", cause_ref=waiting.public_id
        )

        carried_out(begun())

        assert not hold.reversed_by.exists()
        hold.refresh_from_db()
        assert hold.work_state == "WAITING"

    def test_the_copies_that_a_decision_banked_which_stays(self) -> None:
        decision = self.decided(source=Flag.Source.USER_REPORT)
        copy = BankedHashFactory(
            source_ref=decision.public_id, standing="CONFIRMED", is_derived=True
        )
        parent = BankedHash.objects.get(source_ref=S)
        HashParent.objects.create(child=copy, parent=parent)

        carried_out(begun())

        copy.refresh_from_db()
        assert (copy.standing, copy.is_derived) == ("CONFIRMED", False)
        assert not HashParent.objects.exists()
        assert withdraw_orphans(NOW) == 0

    def test_an_account_that_another_decision_closed_too(self) -> None:
        decision = self.decided()
        account = decision.flag.content.account
        closed = {
            "action": "DISABLE_ACCOUNT",
            "work_state": "DONE",
            "done_at": NOW,
            "account": account,
        }
        EnforcementFactory(
            content=decision.flag.content, cause_ref=decision.public_id, **closed
        )
        EnforcementFactory(content=ContentFactory(account=account), **closed)
        PlatformAccount.objects.filter(pk=account.pk).update(state="DISABLED")

        carried_out(begun())

        order = Enforcement.objects.get(action="ENABLE_ACCOUNT")
        assert order.work_state == "CANCELLED"


class TestTheMachine:
    """What it removed because of the source is what it would have been without."""

    @pytest.fixture
    def flag(self, rule: Policy, settings) -> Flag:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        banked = confirmed(rule)
        BankedHash.objects.filter(pk=banked.pk).update(source_ref=S)
        banked.refresh_from_db()
        return found(banked)

    def removed(self, flag: Flag) -> None:
        assert decide_automatically(NOW) == 1
        flag.content.enforcements.update(
            work_state="DONE", done_at=NOW, started_at=NOW, attempt_count=1
        )
        flag.content.see("REMOVED")

    @pytest.mark.parametrize(("distance", "hides"), [(20, True), (40, False)])
    def test_is_a_question_again_if_another_source_found_it_too(
        self, flag, distance, hides
    ) -> None:
        other = MatchFactory(
            content=flag.content,
            distance=distance,
            threshold=31 if hides else 47,
            only_review=not hides,
        )
        self.removed(flag)
        assert Flag.objects.open().get().source == Flag.Source.SAMPLE

        counts = dry_run(find_source(ref=S), NOW)
        revocation = carried_out(begun())

        question = Flag.objects.open().get()
        assert question.source == Flag.Source.HASH_MATCH
        part = "match" if hides else "similar"
        assert [one["part"] for one in question.priority_parts] == [part]
        orders = list(
            flag.content.enforcements.filter(cause_ref=revocation.public_id)
            .order_by("pk")
            .values_list("action", flat=True)
        )
        assert orders == (["RESTORE", "HOLD"] if hides else ["RESTORE", "RELEASE"])
        assert {name: revocation.counts.get(name, 0) for name in counts} == counts
        assert counts["flags_raised"] == 1
        assert BankedHash.objects.live().get(pk=other.banked_hash_id)

    def test_stays_removed_if_another_fingerprint_would_have_let_it(
        self, flag, rule
    ) -> None:
        MatchFactory(content=flag.content, banked_hash=confirmed(rule))
        self.removed(flag)

        carried_out(begun())

        assert Decision.objects.get(flag=flag).overturned_at is None
        assert not Enforcement.objects.filter(action="RESTORE").exists()

    def test_stays_removed_if_a_person_agreed_and_another_source_found_it_too(
        self, flag, rule, reviewer
    ) -> None:
        MatchFactory(content=flag.content, distance=20)
        self.removed(flag)
        answer(held_by(reviewer), rule, disables_account=False)

        carried_out(begun())

        assert not Enforcement.objects.filter(action="RESTORE").exists()

    def test_falls_with_the_person_who_agreed_if_nothing_else_found_it(
        self, flag, rule, reviewer
    ) -> None:
        self.removed(flag)
        person = answer(held_by(reviewer), rule)

        carried_out(begun())

        person.refresh_from_db()
        assert person.overturned_at is not None
        closing = Enforcement.objects.get(action="DISABLE_ACCOUNT")
        assert closing.work_state == "CANCELLED"
        assert Enforcement.objects.filter(action="RESTORE").count() == 1
