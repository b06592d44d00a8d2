"""A case from its fingerprints to stop and delete; what is kept of it; what is not."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from moderation import services as moderation
from moderation.models import AuditEntry, BankedHash
from moderation.services import BankMissing
from tests.factories import NOW, HashBankFactory
from tests.victims.factories import PIN, fingerprint, open_case, recorded
from victims import credentials, services
from victims.models import Case, SubmittedHash


def verdict(platform, seed):
    value = bytes.fromhex(fingerprint(seed))
    [answer] = moderation.match(
        platform=platform, queries=[moderation.query_of("pdq", value)], now=NOW
    )
    return answer.verdict


def shape(sql):
    """A statement without its values, which differ from one submission to the next."""
    return (
        "SAVEPOINT"
        if "SAVEPOINT" in sql
        else re.split(" WHERE | VALUES | SET ", sql)[0]
    )


class TestOpenCase:
    def test_banks_each_fingerprint_as_a_claim_under_a_reference_of_its_own(self, db):
        case, _ = open_case(1, 2, 3)

        refs = set(case.hashes.values_list("source_ref", flat=True))
        banked = BankedHash.objects.filter(source_ref__in=refs)
        assert len(refs) == 3
        assert {row.standing for row in banked} == {BankedHash.Standing.CLAIMED}
        assert {row.source_ref for row in banked} == refs
        assert {row.quality for row in banked} == {80}

    def test_is_matched_by_the_very_next_request(self, platform):
        assert verdict(platform, 1) == "allow"

        open_case(1)

        assert verdict(platform, 1) == "hold"
        assert verdict(platform, 2) == "allow"

    def test_gives_a_number_that_is_kept_only_as_an_index(self, db):
        case, number = open_case()

        assert credentials.is_number(number)
        kept = str(list(Case.objects.values_list()))
        assert number not in kept
        assert PIN not in kept
        assert case.number_index in kept
        assert case.pin_hash.startswith("$argon2id$")

    def test_keeps_no_value_of_a_fingerprint_beside_the_case(self, db):
        open_case(1)

        kept = str(list(SubmittedHash.objects.values_list()))
        assert fingerprint(1) not in kept
        assert fingerprint(1) not in str(list(BankedHash.objects.values_list()))

    def test_asks_again_after_two_years(self, db):
        case, _ = open_case()

        assert (case.review_on - NOW.date()).days == 730

    def test_is_recorded_without_content(self, db):
        case, number = open_case(1, 2)

        assert len(recorded("case.opened")) == 1
        text = "".join(AuditEntry.objects.values_list("text", flat=True))
        for secret in (number, PIN, fingerprint(1), case.number_index):
            assert secret not in text

    def test_draws_the_minute_of_its_day(self, db):
        minutes = {open_case(seed)[0].band_minute for seed in range(12)}

        assert len(minutes) > 3
        assert all(0 <= minute < 1440 for minute in minutes)

    def test_keeps_nothing_if_a_fingerprint_cannot_be_banked(self, db):
        with pytest.raises(BankMissing):
            services.open_case(
                fingerprints=[(fingerprint(1), 80)], pin=PIN, language="en", now=NOW
            )

        assert not Case.objects.exists()
        assert not AuditEntry.objects.exists()

    def test_does_the_same_work_for_a_fingerprint_that_is_banked_already(self, db):
        """T-14: a second submission must not tell that there was a first."""
        HashBankFactory()
        open_case(9)
        work = []
        for seed in (1, 1):
            with CaptureQueriesContext(connection) as queries:
                open_case(seed)
            work.append([shape(q["sql"]) for q in queries.captured_queries])

        assert work[0] == work[1]
        assert BankedHash.objects.count() == 3
        assert len(set(BankedHash.objects.values_list("source_ref"))) == 3


class TestWithdraw:
    def test_is_no_longer_matched_by_the_next_request(self, platform):
        case, _ = open_case(1)
        open_case(2)

        services.withdraw(case=case, pin=PIN, now=NOW)

        assert verdict(platform, 1) == "allow"
        assert verdict(platform, 2) == "hold"

    def test_leaves_another_case_with_the_same_image_as_it_is(self, platform):
        case, _ = open_case(1)
        open_case(1)

        services.withdraw(case=case, pin=PIN, now=NOW)

        assert verdict(platform, 1) == "hold"

    def test_deletes_for_real_and_keeps_that_there_was_a_case(self, db):
        case, _ = open_case(1, 2)
        other, _ = open_case(3)

        services.withdraw(case=case, pin=PIN, now=NOW)

        case.refresh_from_db()
        assert case.state == Case.State.WITHDRAWN
        assert case.withdrawn_at == NOW
        assert not case.hashes.exists()
        assert BankedHash.objects.count() == other.hashes.count() == 1
        assert len(recorded("case.withdrawn")) == 1

    def test_asks_for_the_pin(self, platform):
        case, _ = open_case(1)

        with pytest.raises(services.DoesNotFit):
            services.withdraw(case=case, pin="not this one", now=NOW)

        case.refresh_from_db()
        assert case.is_open
        assert verdict(platform, 1) == "hold"

    def test_counts_tries_with_those_at_the_door(self, db):
        case, number = open_case(1)
        for _ in range(5):
            with pytest.raises(services.DoesNotFit):
                services.withdraw(case=case, pin="not this one", now=NOW)

        with pytest.raises(services.TryLater):
            services.enter(number=number, pin=PIN, network=None, now=NOW)

    def test_a_second_time_changes_nothing(self, db):
        case, _ = open_case(1)
        services.withdraw(case=case, pin=PIN, now=NOW)
        before = AuditEntry.objects.count()

        services.withdraw(case=case, pin=PIN, now=NOW)

        assert AuditEntry.objects.count() == before
