"""Whatever happens, no path leads from a claimed fingerprint to a removal without a person's decision (T-18)."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.models import (
    BankedHash,
    Enforcement,
    Flag,
    HashBank,
    Match,
)
from moderation.services import allow_removal, stop_removal, unconfirm
from reviews.models import Decision, Policy
from reviews.pipeline import decide_automatically
from reviews.services import NothingToClaim, claim_next
from tests.factories import (
    NOW,
    BankedHashFactory,
    ContentFactory,
    FlagFactory,
    HashBankFactory,
    MatchFactory,
    PolicyFactory,
    UserFactory,
)
from tests.reviews.automatic import seniors
from tests.reviews.factories import answer

pytestmark = pytest.mark.django_db

HASHES = st.integers(0, 2)
BITS = st.sampled_from([0, 4, 10, 11, 31])
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("found"), HASHES, BITS),
        st.tuples(st.just("found"), HASHES, BITS),
        st.tuples(st.just("machine"), HASHES, BITS),
        st.tuples(st.just("removes"), HASHES, BITS),
        st.tuples(st.just("keeps"), HASHES, BITS),
        st.tuples(st.just("overturned"), HASHES, BITS),
        st.tuples(st.just("imported"), HASHES, BITS),
        st.tuples(st.just("doubted"), HASHES, BITS),
        st.tuples(st.just("stopped"), HASHES, BITS),
        st.tuples(st.just("allowed"), HASHES, BITS),
    ),
    max_size=14,
)


class House:
    def __init__(self) -> None:
        self.removes = PolicyFactory(slug="ncii.shared", is_automatic=True)
        self.keeps = PolicyFactory(
            slug="none.not_intimate", outcome=Policy.Outcome.KEEP, default_actions=[]
        )
        self.banks = [
            HashBankFactory(slug="cases"),
            HashBankFactory(slug="confirmed", kind=HashBank.Kind.CONFIRMED),
        ]
        self.allowed()
        self.hashes = [BankedHashFactory(bank=self.banks[0]) for _ in range(3)]
        self.now = NOW

    def do(self, deed: str, which: int, bits: int) -> None:
        self.now += timedelta(minutes=1)
        hash = self.hashes[which]
        if deed == "found":
            match = MatchFactory(
                banked_hash=hash, content=ContentFactory(), distance=bits
            )
            FlagFactory(content=match.content, source=Flag.Source.HASH_MATCH)
        elif deed == "machine":
            decide_automatically(self.now)
        elif deed in ("removes", "keeps"):
            self._answered(self.removes if deed == "removes" else self.keeps)
        elif deed == "overturned":
            self._overturned()
        elif deed == "imported":
            BankedHash.objects.filter(pk=hash.pk).update(standing="CONFIRMED")
        elif deed == "doubted":
            hash.demote(self.now)
        elif deed == "stopped":
            for bank in self.banks:
                stop_removal(bank=bank, actor="system", now=self.now)
        else:
            self.allowed()

    def allowed(self) -> None:
        by, second = seniors()
        for bank in self.banks:
            allow_removal(bank=bank, by=by, approved_by=second, now=NOW)

    def _answered(self, policy: Policy) -> None:
        try:
            claim = claim_next(reviewer=UserFactory(), now=self.now)
        except NothingToClaim:
            return
        answer(claim, policy, disables_account=False, now=self.now)

    def _overturned(self) -> None:
        decision = Decision.objects.standing().by_people().filter(removes=True).first()
        if decision is not None:
            decision.overturn(self.now)
            unconfirm(
                cause_ref=decision.public_id, actor=decision.reviewer, now=self.now
            )

    def check(self) -> None:
        """Each removal is a person's, or a near copy's of what a person had decided before."""
        for order in Enforcement.objects.filter(action="REMOVE"):
            decision = Decision.objects.get(public_id=order.cause_ref)
            if decision.is_automatic:
                assert self._person_before(decision), decision
            else:
                assert decision.reviewer is not None
        assert not Enforcement.objects.filter(
            action="DISABLE_ACCOUNT", ordered_by=None
        ).exists()

    def _person_before(self, decision: Decision) -> bool:
        near = Match.objects.filter(
            content=decision.flag.content, distance__lte=10, only_review=False
        )
        others = Match.objects.filter(banked_hash__in=near.values("banked_hash"))
        seen = Decision.objects.by_people().filter(
            removes=True,
            decided_at__lt=decision.decided_at,
            flag__content__in=others.values("content"),
        )
        return seen.exists()


@given(deeds=DEEDS)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_removal_without_a_person(deeds: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        house = House()
        for deed in deeds:
            house.do(*deed)
            house.check()
        transaction.set_rollback(True)


def test_the_machine_does_remove_in_such_a_house() -> None:
    """Else the test above would prove nothing."""
    house = House()

    for deed in ("found", "removes", "found", "machine"):
        house.do(deed, 0, 4)

    house.check()
    assert Decision.objects.filter(is_automatic=True).count() == 1
