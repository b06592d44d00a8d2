"""What stands on a partner's list, and why."""

from datetime import timedelta

import pytest
from django.db import transaction

from moderation import services
from moderation.models import (
    AuditEntry,
    BankedHash,
    HashBank,
    ListClock,
    ListedHash,
    ListedSource,
    Share,
    token,
)
from moderation.pipeline import listing
from moderation.services import sharing
from moderation.storage import open_value
from tests.factories import HashBankFactory, MatchFactory
from tests.moderation.exchange.conftest import (
    Reader,
    bank,
    line_of,
    share,
    unshare,
    value,
    withdraw,
)

A, B, C = token(), token(), token()
V, W = value(1), value(2)


class TestALine:
    def test_is_listed_only_for_the_partner_that_the_source_is_shared_with(
        self, partner, other, clock
    ):
        share(A, partner, next(clock))
        bank(A, V, next(clock))
        bank(B, W, next(clock))

        assert Reader(partner).poll(next(clock)).values == {V}
        assert Reader(other).poll(next(clock)).values == set()

    def test_may_be_shared_before_or_after_it_is_banked(self, partner, clock):
        bank(A, V, next(clock))
        share(A, partner, next(clock))
        bank(A, W, next(clock))

        assert Reader(partner).poll(next(clock)).values == {V, W}

    def test_is_sealed_for_this_purpose(self, partner, clock):
        share(A, partner, next(clock))
        row = bank(A, V, next(clock))

        line = line_of(partner)
        assert V not in bytes(line.value_sealed)
        assert bytes(line.value_sealed) != bytes(row.value_sealed)
        assert open_value(line.value_sealed, "exchange") == V

    def test_of_two_sources_is_one_with_two_cases_and_goes_with_the_last(
        self, partner, clock
    ):
        for source in (A, B):
            share(source, partner, next(clock))
            bank(source, V, next(clock))
        reader = Reader(partner).poll(next(clock))
        (both,) = reader.held.values()
        withdraw(A, next(clock))
        (one,) = reader.poll(next(clock)).held.values()
        withdraw(B, next(clock))

        assert list(both.cases.values()) == [True, True]
        assert sorted(one.cases.values()) == [False, True]
        assert one.is_live
        assert reader.poll(next(clock)).values == set()

    def test_has_nothing_in_common_with_that_of_another_partner(
        self, partner, other, clock
    ):
        for one in (partner, other):
            share(A, one, next(clock))
        bank(A, V, next(clock))
        (mine,), (theirs,) = (
            Reader(one).poll(next(clock)).held.values() for one in (partner, other)
        )

        names = {mine.public_id, theirs.public_id, *mine.cases, *theirs.cases}
        assert len(names - {A}) == 4
        assert mine.value == theirs.value

    def test_says_whether_a_reviewer_confirmed_it(self, partner, reviewer, clock):
        share(A, partner, next(clock))
        row = bank(A, V, next(clock))
        content = MatchFactory(banked_hash=row).content
        reader = Reader(partner)
        said = []
        for deed in ("claim", "confirm", "unconfirm"):
            if deed == "confirm":
                services.confirm_matches(
                    content=content, cause_ref=B, actor=reviewer, now=next(clock)
                )
            if deed == "unconfirm":
                services.unconfirm(cause_ref=B, actor=reviewer, now=next(clock))
            (line,) = reader.poll(next(clock)).held.values()
            said.append(line.is_confirmed)

        assert said == [False, True, False]

    @pytest.mark.parametrize(
        "changed",
        [
            {"standing": BankedHash.Standing.REVOKED},
            {"parked_why": BankedHash.Parked.WIDELY_SEEN},
            {"demoted_at": "now"},
        ],
        ids=["revoked", "parked", "demoted"],
    )
    def test_goes_while_its_fingerprint_is_doubtful_and_comes_back_after(
        self, partner, clock, changed
    ):
        share(A, partner, next(clock))
        row = bank(A, V, next(clock))
        reader = Reader(partner).poll(next(clock))
        now = next(clock)
        before = {name: getattr(row, name) for name in changed}
        seen = []
        for fields in (
            {name: now if to == "now" else to for name, to in changed.items()},
            before,
        ):
            with transaction.atomic():
                AuditEntry.lock()
                BankedHash.objects.filter(pk=row.pk).update(**fields)
                listing.on_changed([row], next(clock))
            seen.append(reader.poll(next(clock)).values)

        assert seen == [set(), {V}]

    def test_that_does_not_change_keeps_its_second(self, partner, clock):
        share(A, partner, next(clock))
        row = bank(A, V, next(clock))
        before = line_of(partner).changed_second
        with transaction.atomic():
            AuditEntry.lock()
            listing.on_changed([row], next(clock))

        assert line_of(partner).changed_second == before


class TestWhatIsNeverListed:
    def test_a_signal_type_that_the_protocols_cannot_name(self, partner, clock):
        share(A, partner, next(clock))
        bank(A, bytes(range(1, 9)), next(clock), "phash")
        bank(A, V, next(clock), "sha256")
        bank(A, V[:16], next(clock), "md5")

        assert {row.signal_type for row in ListedHash.objects.all()} == {"md5"}

    @pytest.mark.parametrize(
        "kind", [kind for kind in HashBank.Kind if kind != HashBank.Kind.CASES]
    )
    def test_what_no_person_submitted(self, partner, clock, kind):
        HashBankFactory(slug="others", kind=kind)
        services.bank_hash(
            bank="others",
            signal_type="pdq",
            value=V,
            quality=100,
            source_ref=A,
            actor="api",
            now=next(clock),
        )

        with pytest.raises(sharing.NotOursToShare):
            share(A, partner, next(clock))
        assert not Share.objects.exists()

    @pytest.mark.parametrize(
        "kind", [kind for kind in HashBank.Kind if kind != HashBank.Kind.CASES]
    )
    def test_what_came_into_another_bank_after_the_leave(self, partner, clock, kind):
        share(A, partner, next(clock))
        HashBankFactory(slug="others", kind=kind)
        services.bank_hash(
            bank="others",
            signal_type="pdq",
            value=V,
            quality=100,
            source_ref=A,
            actor="api",
            now=next(clock),
        )

        assert not ListedHash.objects.exists()


class TestTakingALeaveBack:
    def test_withdraws_what_only_this_source_gave(self, partner, other, clock):
        for source, gives in ((A, (V, W)), (B, (W,))):
            for one in (partner, other):
                share(source, one, next(clock))
            for given in gives:
                bank(source, given, next(clock))
        readers = [Reader(one).poll(next(clock)) for one in (partner, other)]
        unshare(A, partner, next(clock))

        assert readers[0].poll(next(clock)).values == {W}
        assert readers[1].poll(next(clock)).values == {V, W}
        assert BankedHash.objects.count() == 3

    def test_that_was_never_given_is_refused(self, partner, clock):
        with pytest.raises(sharing.NotShared):
            unshare(A, partner, next(clock))

    def test_may_be_given_again(self, partner, clock):
        bank(A, V, next(clock))
        reader = Reader(partner)
        seen = []
        for deed in (share, unshare, share):
            deed(A, partner, next(clock))
            seen.append(reader.poll(next(clock)).values)

        assert seen == [{V}, set(), {V}]

    def test_both_are_on_the_record(self, partner, clock):
        share(A, partner, next(clock))
        unshare(A, partner, next(clock))

        entries = [entry.facts for entry in AuditEntry.objects.all()]
        verbs = [facts["verb"] for facts in entries]
        assert verbs == ["share.given", "share.taken_back"]
        assert A not in str(entries)


class TestAWithdrawal:
    def test_ends_the_leave_of_a_source_that_has_nothing_left(self, partner, clock):
        share(A, partner, next(clock))
        rows = [bank(A, one, next(clock)) for one in (V, W)]
        services.withdraw_hashes(hashes=[rows[0].pk], actor="hub", now=next(clock))
        assert Share.objects.count() == 1
        withdraw(A, next(clock))

        assert Share.objects.count() == 0

    def test_is_kept_until_the_partner_has_read_it(self, partner, clock):
        share(A, partner, next(clock))
        bank(A, V, next(clock))
        reader = Reader(partner).poll(next(clock))
        withdraw(A, next(clock))
        assert listing.purge_listed(now=next(clock)) == 0
        reader.poll(next(clock))
        told = sharing.partners_not_told(source_refs=[A])
        # That it was given an answer is not that it kept it: it has when it asks to go on from there.
        assert listing.purge_listed(now=next(clock)) == 0
        reader.poll(next(clock))

        assert told == [partner]
        assert sharing.partners_not_told(source_refs=[A]) == []
        assert listing.purge_listed(now=next(clock)) == 1
        assert not ListedHash.objects.exists()
        assert not ListedSource.objects.exists()

    def test_is_kept_for_thirty_days_at_most(self, partner, clock):
        share(A, partner, next(clock))
        bank(A, V, next(clock))
        bank(B, W, next(clock))
        share(B, partner, next(clock))
        withdrawn = next(clock)
        withdraw(A, withdrawn)
        days = timedelta(days=30)

        assert listing.purge_listed(now=withdrawn + days * 0.99) == 0
        assert listing.purge_listed(now=withdrawn + days) == 1
        assert Reader(partner).poll(next(clock)).values == {W}

    def test_of_one_of_two_sources_is_forgotten_in_the_same_way(self, partner, clock):
        for source in (A, B):
            share(source, partner, next(clock))
            bank(source, V, next(clock))
        withdraw(A, next(clock))
        reader = Reader(partner).poll(next(clock)).poll(next(clock))

        assert listing.purge_listed(now=next(clock)) == 1
        (line,) = Reader(partner).poll(next(clock)).held.values()
        assert list(line.cases.values()) == [True]
        assert reader.values == {V}


class TestTheCost:
    def test_of_what_nobody_shared_is_one_query(
        self, partner, clock, django_assert_num_queries
    ):
        share(C, partner, next(clock))
        rows = [bank(A, value(n), next(clock)) for n in range(5)]
        now = next(clock)
        second = ListClock.objects.count()

        with transaction.atomic():
            with django_assert_num_queries(1):
                listing.on_changed(rows, now)
            with django_assert_num_queries(1):
                listing.on_withdrawn(rows, now)
        assert ListClock.objects.count() == second

    def test_of_what_is_shared_does_not_grow_with_the_number_of_fingerprints(
        self, partner, clock, django_assert_max_num_queries
    ):
        share(A, partner, next(clock))
        new = [services.NewHash("pdq", value(n), 100, A) for n in range(200)]
        home = HashBank.objects.get(slug="cases")

        with django_assert_max_num_queries(45):
            services.bank_hashes(bank=home, hashes=new, actor="hub", now=next(clock))
        assert ListedHash.objects.count() == 200
