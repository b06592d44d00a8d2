"""What a finding raises, what it leaves alone, and what is searched again until it is done."""

from datetime import timedelta

import pytest
from django.db import transaction

from moderation import pipeline, services, tasks
from moderation.models import (
    BankCounter,
    BankedHash,
    Content,
    Enforcement,
    Evidence,
    Flag,
    LookBack,
    Match,
    token,
)
from moderation.models.work import stale
from moderation.pipeline import searches
from moderation.pipeline.findings import Finding, Query, find
from moderation.pipeline.raising import act_on, match_parts, record_matches
from moderation.storage import open_value, store_file
from tests.factories import (
    NOW,
    BankedHashFactory,
    ContentFactory,
    EnforcementFactory,
    FlagFactory,
    PlatformFactory,
)
from tests.locks import holds_record_while_waiting_for
from tests.moderation.sendings import bank, drawing, receive, resaved

pytestmark = pytest.mark.django_db


def record(content: Content, *hashes: BankedHash, distance: int = 4) -> bool:
    findings = [Finding(row, distance, 31) for row in hashes]
    with transaction.atomic():
        new, _ = act_on(content, findings, token(), NOW)
    return new


def search(now=NOW) -> list[Enforcement]:
    """Look back for whatever was banked and not searched for yet."""
    gathered = pipeline.gather(now)
    return pipeline.look_back(gathered, now)[0] if gathered else []


def actions(content: Content) -> list[str]:
    orders = Enforcement.objects.filter(content=content).order_by("pk")
    return list(orders.values_list("action", flat=True))


@pytest.fixture
def chelsea(pictures) -> bytes:
    return (pictures / "chelsea.png").read_bytes()


class TestTheLookBack:
    @pytest.fixture
    def rung(self, monkeypatch) -> list[tuple[object, int]]:
        rung: list[tuple[object, int]] = []
        monkeypatch.setattr(tasks, "ring", lambda task, pk: rung.append((task, pk)))
        return rung

    def test_is_rung_for_again_until_it_is_done(self, platform, chelsea, rung):
        pipeline.check(receive(platform, resaved(chelsea)), NOW)
        banked = bank(chelsea)
        BankedHashFactory(searched_at=NOW)

        tasks.sweep()
        assert (tasks.search_past, banked.pk) in rung
        tasks.search_past(banked.pk)
        assert Flag.objects.count() == 1
        rung.clear()
        tasks.sweep()

        assert not {tasks.search_past, tasks.look_back} & {task for task, _ in rung}

    def test_is_taken_up_again_after_a_worker_was_killed(self, platform, chelsea):
        pipeline.check(receive(platform, resaved(chelsea)), NOW)
        banked = bank(chelsea)
        search = pipeline.gather(NOW)
        assert search.start(NOW)

        assert pipeline.gather(NOW) is None
        assert pipeline.look_back(search, NOW) == ([], False)
        later = NOW + stale() + timedelta(seconds=1)
        assert list(LookBack.objects.due(later)) == [search]
        assert len(pipeline.look_back(search, later)[0]) == 1
        banked.refresh_from_db()
        assert banked.searched_at == later

    def test_ends_quietly_when_the_fingerprint_is_withdrawn_meanwhile(
        self, platform, chelsea
    ):
        pipeline.check(receive(platform, chelsea), NOW)
        banked = bank(chelsea)
        search = pipeline.gather(NOW)
        services.withdraw_source(
            source_refs=[banked.source_ref], actor="person", now=NOW
        )

        assert pipeline.look_back(search, NOW) == ([], False)
        assert search.work_state == "DONE"
        assert not Flag.objects.exists()

    def test_goes_on_from_where_it_was_when_the_time_is_up(
        self, platform, chelsea, monkeypatch
    ):
        monkeypatch.setattr(searches, "_SECONDS", -1.0)
        monkeypatch.setattr(searches, "_ROWS", 1)
        for number in range(3):
            content = receive(platform, resaved(chelsea, 60 + number), f"p{number}")
            pipeline.check(content, NOW)
        bank(chelsea)
        search = pipeline.gather(NOW)

        seen = []
        for _ in range(100):
            ordered, goes_on = pipeline.look_back(search, NOW)
            seen.append(search.progress)
            if not goes_on:
                break

        assert seen == sorted(seen)
        assert len(set(seen)) > 3
        assert seen[-1] == 1.0
        assert len(ordered) == Flag.objects.count() == 3

    def test_parks_what_is_in_too_many_places_and_hides_nothing_for_it(
        self, chelsea, monkeypatch
    ):
        monkeypatch.setattr(searches, "WIDELY_SEEN_CONTENTS", 2)
        monkeypatch.setattr(searches, "WIDELY_SEEN_ACCOUNTS", 1)
        for alias in ("facebook", "instagram", "facebook"):
            platform = PlatformFactory(alias=alias)
            content = receive(platform, resaved(chelsea), token())
            pipeline.check(content, NOW)
        banked = bank(chelsea)

        assert search() == []

        banked.refresh_from_db()
        assert banked.parked_why == "WIDELY_SEEN"
        assert not Enforcement.objects.exists()
        assert {flag.priority for flag in Flag.objects.all()} == {90}
        verdict = services.match_media(
            platform=platform, media=resaved(chelsea), now=NOW
        )
        assert verdict.verdict == "allow"


class TestRecordMatches:
    def test_leaves_out_what_was_withdrawn_since_it_was_found(self, platform, chelsea):
        banked = bank(chelsea)
        content = ContentFactory(platform=platform)
        findings = find(Query(pdq=[open_value(banked.value_sealed, "bank")]))
        assert len(findings) == 1
        services.withdraw_source(
            source_refs=[banked.source_ref], actor="person", now=NOW
        )

        with transaction.atomic():
            assert not record_matches(content, findings, NOW)

        assert not Match.objects.exists()
        assert not Flag.objects.exists()

    def test_asks_nothing_about_what_a_decision_has_removed(self):
        removal = EnforcementFactory(action="REMOVE")
        other = EnforcementFactory(action="REMOVE", work_state="CANCELLED")

        assert record(removal.content, BankedHashFactory())
        assert record(other.content, BankedHashFactory())

        assert Match.objects.count() == 2
        assert [flag.content for flag in Flag.objects.all()] == [other.content]
        assert actions(removal.content) == ["REMOVE"]

    def test_asks_again_about_what_was_restored(self):
        removal = EnforcementFactory(action="REMOVE")
        content = removal.content
        EnforcementFactory(content=content, action="RESTORE", reverses=removal)

        record(content, BankedHashFactory())

        assert Flag.objects.get().content == content
        assert actions(content) == ["REMOVE", "RESTORE", "HOLD"]

    def test_counts_a_part_once_however_many_fingerprints_say_it(self):
        flag = FlagFactory(
            priority=36, priority_parts=[{"part": "near_nude", "points": 36}]
        )

        for _ in range(3):
            record(flag.content, BankedHashFactory(), distance=20)

        flag.refresh_from_db()
        assert flag.version == 4
        assert flag.priority == 96
        assert [part["part"] for part in flag.priority_parts] == ["near_nude", "match"]

    def test_never_shortens_the_time_a_picture_is_kept(self, platform, chelsea):
        content = receive(platform, chelsea)
        long = NOW + timedelta(days=900)
        Evidence.objects.update(expires_at=long)

        record(content, BankedHashFactory())

        assert Evidence.objects.get().expires_at == long


class TestOrderHold:
    def test_holds_again_what_is_only_on_its_way_back(self):
        content = ContentFactory(visibility="HELD")
        hold = EnforcementFactory(
            content=content, action="HOLD", work_state="DONE", done_at=NOW
        )
        EnforcementFactory(content=content, action="RELEASE", reverses=hold)

        record(content, BankedHashFactory())

        assert actions(content) == ["HOLD", "RELEASE", "HOLD"]

    def test_holds_once_what_is_only_on_its_way_to_be_hidden(self):
        content = ContentFactory()
        EnforcementFactory(content=content, action="HOLD")

        record(content, BankedHashFactory())

        assert actions(content) == ["HOLD"]

    def test_leaves_alone_what_the_account_deleted(self):
        content = ContentFactory(visibility="DELETED")

        record(content, BankedHashFactory())

        assert actions(content) == []


class TestAContentThatCouldNotBeCompared:
    """The bank in memory did not equal the database, so the content was hidden unseen."""

    @pytest.fixture
    def held(self, platform, chelsea) -> Content:
        bank(chelsea)
        content = receive(platform, drawing())
        checksum = BankCounter.objects.values_list("checksum", flat=True).get()
        BankCounter.objects.update(checksum="0" * 15 + "1")
        (hold,) = pipeline.check(content, NOW)
        pipeline.enforce(hold, NOW)
        BankCounter.objects.update(checksum=checksum)
        content.refresh_from_db()
        assert (content.visibility, content.error_code) == ("HELD", "bank_untrusted")
        return content

    def test_is_shown_again_when_nothing_is_found(self, held):
        (release,) = pipeline.check(held, held.next_attempt_at)
        pipeline.enforce(release, NOW)

        held.refresh_from_db()
        assert held.is_checked
        assert held.visibility == "VISIBLE"
        assert not Flag.objects.exists()

    def test_stays_hidden_while_a_question_is_open(self, held):
        held.platform.flag_threshold = 0
        held.platform.save()
        held = Content.objects.get(pk=held.pk)

        assert pipeline.check(held, held.next_attempt_at) == []

        assert Flag.objects.open().get().content == held
        assert actions(held) == ["HOLD"]

    def test_is_shown_again_when_it_turns_out_to_be_no_picture(self, held):
        text = store_file(b"this is text")
        Evidence.objects.filter(content=held).update(
            name=text.name, wrapped_key=text.wrapped_key
        )
        held = Content.objects.get(pk=held.pk)

        (release,) = pipeline.check(held, held.next_attempt_at)

        assert release.action == Enforcement.Action.RELEASE


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestTheOrderOfLocks:
    def test_of_a_match_takes_the_flag_before_the_record(self):
        flag = FlagFactory()
        banked = BankedHashFactory()

        assert not holds_record_while_waiting_for(
            Flag.objects.filter(pk=flag.pk), lambda: record(flag.content, banked)
        )

        assert Flag.objects.get().version == 2

    def test_of_a_match_takes_the_picture_before_the_record(self, platform, chelsea):
        content = receive(platform, chelsea)
        banked = BankedHashFactory()

        assert not holds_record_while_waiting_for(
            Evidence.objects.filter(content=content), lambda: record(content, banked)
        )

    def test_of_an_order_takes_the_content_first(self):
        order = EnforcementFactory(content__external_id=token())

        assert not holds_record_while_waiting_for(
            Content.objects.filter(pk=order.content_id),
            lambda: pipeline.enforce(order, NOW),
        )

        order.refresh_from_db()
        assert order.work_state == "DONE"

    def test_of_a_score_takes_the_content_before_the_record(self, chelsea):
        platform = PlatformFactory(flag_threshold=0)
        content = receive(platform, chelsea)

        assert not holds_record_while_waiting_for(
            Evidence.objects.filter(content=content),
            lambda: pipeline.check(content, NOW),
        )

        assert Flag.objects.get().content == content


def test_only_a_sure_match_is_called_close() -> None:
    sure, rough = BankedHashFactory(), BankedHashFactory(signal_type="phash")

    parts = match_parts([Finding(sure, 20, 31), Finding(rough, 0, 8, True)])

    assert [part["part"] for part in parts] == ["match"]
