"""What workers do: real pictures, real decoder, real model, the stand-in platform."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from moderation import detection, pipeline, services
from moderation.models import (
    Content,
    Detection,
    Enforcement,
    Evidence,
    Fingerprint,
    Flag,
    Match,
    token,
)
from moderation.models.work import stale
from tests.factories import (
    NOW,
    PlatformFactory,
)
from tests.moderation.sendings import bank, drawing, receive, resaved

pytestmark = pytest.mark.django_db


class TestReceiveContent:
    def test_keeps_one_row_and_one_encrypted_picture(self, platform, chelsea):
        content = receive(platform, chelsea)

        assert content.work_state == Content.WorkState.WAITING
        stored = Path(settings.STORAGES["evidence"]["OPTIONS"]["location"])
        files = [path for path in stored.rglob("*") if path.is_file()]
        assert files
        assert not any(chelsea[:64] in path.read_bytes() for path in files)

    def test_answers_a_repeat_with_the_same_row(self, platform, chelsea):
        first = receive(platform, chelsea)

        assert receive(platform, chelsea) == first
        assert Evidence.objects.count() == 1

    def test_refuses_the_same_id_for_something_else(self, platform, chelsea):
        receive(platform, chelsea)

        with pytest.raises(services.ExternalIdTaken):
            receive(platform, resaved(chelsea))

    def test_takes_the_same_id_from_another_platform(self, platform, chelsea):
        receive(platform, chelsea)
        other = PlatformFactory(alias="instagram")

        assert receive(other, chelsea).platform == other

    @pytest.mark.django_db(transaction=True)
    def test_keeps_the_picture_when_it_is_stopped_after_the_commit(
        self, platform, chelsea, monkeypatch
    ):
        def stopped(task, pk):
            raise SystemExit("the web server's time limit")

        monkeypatch.setattr("moderation.tasks.ring", stopped)
        with pytest.raises(SystemExit):
            receive(platform, chelsea)

        pipeline.check(Content.objects.get(), NOW)
        assert Content.objects.get().is_checked

    def test_refuses_nothing_at_all(self, platform):
        with pytest.raises(services.MediaMissing):
            receive(platform, b"")
        assert not Content.objects.exists()


class TestCheck:
    def test_raises_nothing_for_a_picture_like_any_other(self, platform, chelsea):
        content = receive(platform, chelsea)

        assert pipeline.check(content, NOW) == []

        content.refresh_from_db()
        assert content.is_checked
        assert not Flag.objects.exists()
        assert Detection.objects.get(content=content).score < 0.5
        assert set(
            Fingerprint.objects.filter(content=content).values_list(
                "signal_type", flat=True
            )
        ) == {"pdq", "phash", "sha256", "md5"}

    def test_finds_a_resaved_copy_flags_it_and_orders_a_hold(self, platform, chelsea):
        banked = bank(chelsea)
        bank_of_others = bank(resaved(chelsea, 30, 0.5))
        services.withdraw_source(
            source_refs=[bank_of_others.source_ref], actor="x", now=NOW
        )
        content = receive(platform, resaved(chelsea))

        (hold,) = pipeline.check(content, NOW)

        assert (hold.action, hold.content) == (Enforcement.Action.HOLD, content)
        match = Match.objects.get(content=content)
        assert match.banked_hash == banked
        assert match.distance <= 31
        flag = Flag.objects.open().get(content=content)
        assert flag.source == Flag.Source.HASH_MATCH
        assert flag.due_at == NOW + timedelta(hours=24)
        content.evidence.refresh_from_db()
        assert content.evidence.expires_at > NOW + timedelta(days=183)

    def test_finds_a_copy_that_was_turned_and_mirrored(self, platform, chelsea):
        bank(chelsea)
        with Image.open(io.BytesIO(chelsea)) as image:
            out = io.BytesIO()
            turned = image.transpose(Image.Transpose.ROTATE_90)
            turned.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(out, "PNG")
        content = receive(platform, out.getvalue())

        pipeline.check(content, NOW)

        assert Flag.objects.filter(content=content).count() == 1

    def test_flags_by_score_without_a_hold_when_the_platform_wants_it(self, chelsea):
        platform = PlatformFactory(alias="instagram", flag_threshold=0.0)
        content = receive(platform, chelsea)

        assert pipeline.check(content, NOW) == []

        flag = Flag.objects.get(content=content)
        assert flag.source == Flag.Source.DETECTION
        assert not Enforcement.objects.exists()

    def test_twice_equals_once(self, platform, chelsea):
        bank(chelsea)
        content = receive(platform, chelsea)
        pipeline.check(content, NOW)
        Content.objects.filter(pk=content.pk).update(work_state="WAITING", done_at=None)

        pipeline.check(Content.objects.get(pk=content.pk), NOW)

        assert Flag.objects.get().version == 1
        assert Match.objects.count() == Enforcement.objects.count() == 1
        assert Detection.objects.count() == 1

    def test_is_not_done_by_two_workers_at_once(self, platform, chelsea):
        content = receive(platform, chelsea)
        assert content.start(NOW)

        assert pipeline.check(Content.objects.get(pk=content.pk), NOW) == []

        assert not Fingerprint.objects.exists()

    def test_is_taken_up_again_after_a_worker_was_killed(self, platform, chelsea):
        content = receive(platform, chelsea)
        assert content.start(NOW)
        later = NOW + stale() + timedelta(seconds=1)
        assert list(Content.objects.due(NOW)) == []
        assert list(Content.objects.due(later)) == [content]

        pipeline.check(Content.objects.get(pk=content.pk), later)

        content.refresh_from_db()
        assert content.is_checked

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"this is text, whatever its name says", "not_an_image"),
            (b"\xff\xd8\xff\xe0 and then nothing", "truncated"),
        ],
    )
    def test_refuses_what_is_no_picture_and_says_why(self, platform, data, code):
        content = receive(platform, data)

        pipeline.check(content, NOW)

        content.refresh_from_db()
        assert content.is_checked
        assert content.refused_code in {code, "not_an_image", "truncated"}

    def test_matches_even_when_the_model_is_missing_and_scores_later(
        self, platform, chelsea, monkeypatch
    ):
        bank(chelsea)
        content = receive(platform, chelsea)

        def missing(pixels):
            raise detection.ModelUnavailable("model_missing", "There is no model.")

        monkeypatch.setattr("moderation.detection.score", missing)
        pipeline.check(content, NOW)
        content.refresh_from_db()
        assert content.work_state == Content.WorkState.WAITING
        assert content.error_code == "model_missing"
        assert Flag.objects.filter(content=content).exists()
        assert Enforcement.objects.filter(content=content).count() == 1
        monkeypatch.undo()

        pipeline.check(content, content.next_attempt_at)

        content.refresh_from_db()
        assert content.is_checked
        assert Detection.objects.filter(content=content).exists()
        assert Flag.objects.get().version == 1

    def test_gives_up_on_evidence_that_is_gone_where_people_see_it(
        self, platform, chelsea
    ):
        content = receive(platform, chelsea)
        content.evidence.shred(NOW)

        pipeline.check(content, NOW)

        assert list(Content.objects.dead()) == [content]


class TestLookBack:
    def test_finds_what_was_posted_before_the_fingerprint_came(self, platform, chelsea):
        before = receive(platform, resaved(chelsea))
        pipeline.check(before, NOW)
        other = receive(platform, drawing(), "post-2")
        pipeline.check(other, NOW)
        assert not Flag.objects.exists()

        bank(chelsea)
        ordered, goes_on = pipeline.look_back(pipeline.gather(NOW), NOW)

        assert [order.content for order in ordered] == [before]
        assert not goes_on
        assert Flag.objects.get().content == before
        assert Enforcement.objects.get().action == Enforcement.Action.HOLD

    def test_finds_nothing_a_second_time(self, platform, chelsea):
        pipeline.check(receive(platform, chelsea), NOW)
        bank(chelsea)
        search = pipeline.gather(NOW)
        pipeline.look_back(search, NOW)

        assert pipeline.look_back(search, NOW) == ([], False)
        assert pipeline.gather(NOW) is None


class TestPictureForReview:
    def test_is_a_small_copy_and_never_the_original(self, platform, chelsea):
        content = receive(platform, chelsea)

        shown = services.picture_for_review(
            content=content, blur=True, grey=True, mark="Rowan 12:00"
        )

        with Image.open(io.BytesIO(shown)) as image:
            assert max(image.size) <= 1024
        assert shown != chelsea


class TestCopiesRemoved:
    def test_counts_only_what_a_reviewer_had_removed(self, platform, chelsea, reviewer):
        source = token()
        bank(chelsea, source)
        content = receive(platform, resaved(chelsea), token())
        pipeline.check(content, NOW)
        assert services.copies_removed(source_refs=[source]) == 0
        order = services.order_enforcement(
            content=content,
            action=Enforcement.Action.REMOVE,
            cause_ref=token(),
            actor=reviewer,
            now=NOW,
        )
        assert services.copies_removed(source_refs=[source]) == 0
        for waiting in Enforcement.objects.order_by("pk"):
            pipeline.enforce(waiting, NOW)

        order.refresh_from_db()
        assert services.copies_removed(source_refs=[source]) == 1
        assert services.copies_removed(source_refs=[token()]) == 0
