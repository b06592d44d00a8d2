"""Banking, withdrawing and matching: zero-stale, exact, and whole or not used."""

import pytest
from django.db import connection, transaction
from structlog.testing import capture_logs

from moderation import services
from moderation.models import (
    BankCounter,
    BankedHash,
    BankWithdrawal,
    ListedHash,
    Match,
    token,
)
from moderation.pipeline import BankUntrusted, Query, bank_index
from moderation.pipeline import find as find_query
from moderation.pipeline.index import BankIndex
from moderation.services import sharing
from moderation.services.sharing import canaries
from moderation.storage import open_value
from tests.factories import (
    NOW,
    ContentFactory,
    HashBankFactory,
    MatchFactory,
    PlatformFactory,
    UserFactory,
)

HASH = bytes([0b01010101] * 32)


def near(value: bytes, bits: int) -> bytes:
    number = int.from_bytes(value) ^ ((1 << bits) - 1)
    return number.to_bytes(32)


def find(forms: list[bytes], **more):
    return find_query(Query(pdq=forms), **more)


def bank(value: bytes, source: str | None = None, **more) -> BankedHash:
    return services.bank_hash(
        bank=HashBankFactory().slug,
        signal_type="pdq",
        value=value,
        quality=90,
        source_ref=source or token(),
        actor="public",
        now=NOW,
        **more,
    )


@pytest.mark.django_db
class TestBankHash:
    def test_is_matched_by_the_very_next_look(self):
        assert find([HASH]) == []

        row = bank(HASH)
        bank(near(HASH, 200))

        found = find([near(HASH, 31)])
        assert [(finding.hash, finding.distance) for finding in found] == [(row, 31)]

    def test_is_not_matched_beyond_the_threshold(self):
        bank(HASH)

        assert find([near(HASH, 32)]) == []

    def test_takes_the_nearest_of_the_forms_of_one_picture(self):
        row = bank(HASH)

        found = find([near(HASH, 200), near(HASH, 9), near(HASH, 20)])

        assert [(finding.hash, finding.distance) for finding in found] == [(row, 9)]

    def test_gives_the_same_row_for_the_same_source_again(self):
        first, second = bank(HASH, "a" * 32), bank(HASH, "a" * 32)

        assert first == second
        assert BankCounter.objects.get().live_count == 1

    def test_keeps_one_row_for_each_source_of_an_equal_hash(self):
        bank(HASH, "a" * 32)
        bank(HASH, "b" * 32)

        assert len(find([HASH])) == 2

    def test_refuses_an_unknown_bank(self):
        with pytest.raises(services.BankMissing):
            services.bank_hash(
                bank="nowhere",
                signal_type="pdq",
                value=HASH,
                quality=90,
                source_ref=token(),
                actor="public",
                now=NOW,
            )

    def test_never_stores_the_value_in_the_clear(self):
        row = bank(HASH)

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT value_sealed, value_index FROM moderation_bankedhash WHERE id = %s",
                [row.pk],
            )
            sealed, index = cursor.fetchone()
        assert HASH not in bytes(sealed)
        assert HASH.hex() not in index


@pytest.mark.django_db
class TestWithdrawSource:
    def test_is_not_matched_by_the_very_next_look_and_leaves_no_row(self):
        bank(HASH, "a" * 32)
        other = bank(HASH, "b" * 32)
        assert len(find([HASH])) == 2

        count = services.withdraw_source(
            source_refs=["a" * 32], actor="public", now=NOW
        )

        assert count == 1
        assert [finding.hash for finding in find([HASH])] == [other]
        assert BankedHash.objects.count() == 1

    def test_is_seen_by_another_process(self):
        bank(HASH, "a" * 32)
        other_process = BankIndex()
        assert len(other_process.match([HASH], 31)) == 1

        services.withdraw_source(source_refs=["a" * 32], actor="public", now=NOW)

        assert other_process.match([HASH], 31) == []

    def test_keeps_the_match_that_was_found_without_the_hash(self):
        row = bank(HASH, "a" * 32)
        match = MatchFactory(banked_hash=row, source_ref="a" * 32)

        services.withdraw_source(source_refs=["a" * 32], actor="public", now=NOW)

        match.refresh_from_db()
        assert match.banked_hash is None

    def test_of_nothing_is_nothing(self):
        bank(HASH)

        assert services.withdraw_source(source_refs=["c" * 32], actor="x", now=NOW) == 0
        assert len(find([HASH])) == 1


@pytest.mark.django_db
class TestTheIndex:
    def test_recovers_from_a_transaction_that_was_rolled_back(self):
        row = bank(HASH)
        index = BankIndex()
        with transaction.atomic():
            bank(near(HASH, 100))
            assert len(index.match([near(HASH, 100)], 31)) == 1
            transaction.set_rollback(True)

        assert index.match([near(HASH, 100)], 31) == []
        other = bank(near(HASH, 50))

        found = index.match([HASH, near(HASH, 50)], 31)
        assert {one.id for one in found} == {row.number, other.number}

    def test_rebuilds_when_its_copy_is_not_whole(self):
        row = bank(HASH)
        index = BankIndex()
        index.match([HASH], 31)
        # What a flipped bit or a bug would do.
        index._copy.engines["pdq"].withdraw([row.number])

        assert [found.id for found in index.match([HASH], 31)] == [row.number]

    def test_fails_closed_when_the_database_contradicts_itself(self):
        bank(HASH)
        BankCounter.objects.update(checksum="0123456789abcdef")

        with pytest.raises(BankUntrusted):
            BankIndex().match([HASH], 31)

    def test_catches_up_over_many_changes_and_withdrawals(self):
        index = BankIndex()
        sources = [token() for _ in range(40)]
        for number, source in enumerate(sources):
            bank(near(HASH, number), source)
        assert len(index.match([HASH], 31)) == 32
        services.withdraw_source(source_refs=sources[:10], actor="x", now=NOW)

        assert len(index.match([HASH], 31)) == 22
        assert BankWithdrawal.objects.count() == 10
        assert BankCounter.objects.get().number == 50


@pytest.mark.django_db
class TestVerdict:
    def test_holds_for_what_somebody_claims_and_blocks_what_a_reviewer_confirmed(
        self, platform
    ):
        confirmed = BankedHash.Standing.CONFIRMED
        bank(HASH)
        far = near(HASH, 128)
        bank(far, standing=confirmed)

        verdicts = services.match(
            platform=platform,
            queries=[
                Query(pdq=[one]) for one in (HASH, far, near(far, 11), near(HASH, 64))
            ],
            now=NOW,
        )

        assert [v.verdict for v in verdicts] == ["hold", "block", "hold", "allow"]
        assert len({v.match_id for v in verdicts}) == 4

    def test_holds_rather_than_waits_while_the_bank_is_built_again(
        self, platform, monkeypatch
    ):
        monkeypatch.setattr("moderation.pipeline.index._PATIENCE", 0.01)
        with bank_index()._lock:
            (verdict,) = services.match(
                platform=platform, queries=[Query(pdq=[HASH])], now=NOW
            )

        assert (verdict.verdict, verdict.degraded) == ("hold", True)

    def test_tells_people_when_a_platform_asks_about_a_planted_hash(
        self, platform, monkeypatch
    ):
        monkeypatch.setattr(canaries._known, "until", 0.0)
        partner = PlatformFactory(alias="partner")
        sharing.plant_canaries(partner=partner, count=2, actor="operator", now=NOW)
        planted = ListedHash.objects.filter(is_canary=True).first()
        value = open_value(planted.value_sealed, "exchange")

        with capture_logs() as logs:
            verdicts = services.match(
                platform=platform,
                queries=[Query(pdq=[HASH]), Query(pdq=[value])],
                now=NOW,
            )

        assert [one.verdict for one in verdicts] == ["allow", "allow"]
        (alarm,) = [log for log in logs if log["event"] == "canary_queried"]
        assert (alarm["partner"], alarm["platform"]) == ("partner", platform.alias)
        assert value.hex() not in str(logs)

    def test_holds_and_says_so_when_the_bank_cannot_be_trusted(self, platform):
        bank(HASH)
        BankCounter.objects.update(checksum="0123456789abcdef")

        (verdict,) = services.match(
            platform=platform, queries=[Query(pdq=[HASH])], now=NOW
        )

        assert (verdict.verdict, verdict.degraded) == ("hold", True)


@pytest.mark.django_db
class TestConfirmMatches:
    def test_confirms_only_what_matched_this_content(self):
        mine, other = bank(HASH), bank(near(HASH, 90))
        match = MatchFactory(banked_hash=mine)
        MatchFactory(banked_hash=other, content=ContentFactory())

        count = services.confirm_matches(
            content=match.content, cause_ref=token(), actor=UserFactory(), now=NOW
        )

        mine.refresh_from_db()
        other.refresh_from_db()
        assert count == 1
        assert mine.standing == BankedHash.Standing.CONFIRMED
        assert other.standing == BankedHash.Standing.CLAIMED
        assert Match.objects.count() == 2

    def test_leaves_out_what_somebody_found_this_content_not_to_be(self, reviewer):
        mistaken, right = bank(HASH), bank(near(HASH, 90))
        content = MatchFactory(banked_hash=mistaken).content
        services.except_content(
            content=content, cause_ref=token(), actor=reviewer, now=NOW
        )
        MatchFactory(banked_hash=right, content=content)

        services.confirm_matches(
            content=content, cause_ref=token(), actor=reviewer, now=NOW
        )

        mistaken.refresh_from_db()
        right.refresh_from_db()
        assert mistaken.standing == BankedHash.Standing.CLAIMED
        assert right.standing == BankedHash.Standing.CONFIRMED


@pytest.mark.django_db
class TestUnconfirm:
    def test_takes_back_only_what_no_other_decision_vouches_for(self, reviewer):
        first, second = token(), token()
        once, twice = bank(HASH), bank(near(HASH, 90))
        content = MatchFactory(banked_hash=once).content
        MatchFactory(banked_hash=twice, content=content)
        other = MatchFactory(banked_hash=twice).content
        for matched, cause in ((content, first), (other, second)):
            services.confirm_matches(
                content=matched, cause_ref=cause, actor=reviewer, now=NOW
            )

        assert services.unconfirm(cause_ref=first, actor=reviewer, now=NOW) == 1

        once.refresh_from_db()
        twice.refresh_from_db()
        assert once.standing == BankedHash.Standing.CLAIMED
        assert twice.standing == BankedHash.Standing.CONFIRMED
        assert services.unconfirm(cause_ref=second, actor=reviewer, now=NOW) == 1
