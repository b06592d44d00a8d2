"""What a reviewer found to be in order is not found again; everything else still is (T-20)."""

import pytest

from moderation import pipeline, services
from moderation.models import Flag, Match, token
from tests.factories import NOW, UserFactory
from tests.moderation.sendings import bank, edited, receive, resaved

pytestmark = pytest.mark.django_db


class TestExceptContent:
    def test_is_not_found_again_by_that_fingerprint_but_other_copies_are(
        self, platform, chelsea
    ):
        banked = bank(chelsea)
        innocent = receive(platform, resaved(chelsea, 90, 1.0))
        pipeline.check(innocent, NOW)

        services.except_content(
            content=innocent, cause_ref=token(), actor=UserFactory(), now=NOW
        )

        again = receive(platform, resaved(chelsea, 90, 1.0), "post-2")
        pipeline.check(again, NOW)
        assert not Flag.objects.filter(content=again).exists()
        before = services.match_media(
            platform=platform, media=resaved(chelsea, 90, 1.0), now=NOW
        )
        assert before.verdict == "allow"
        cut = services.match_media(platform=platform, media=edited(chelsea), now=NOW)
        assert cut.verdict == "hold"
        smaller = receive(platform, edited(chelsea), "post-3")
        pipeline.check(smaller, NOW)
        assert Match.objects.get(content=smaller).banked_hash == banked

    def test_by_one_person_covers_the_very_file_and_no_re_saved_copy(
        self, platform, chelsea
    ):
        bank(chelsea)
        file = resaved(chelsea, 90, 1.0)
        kept = receive(platform, file)
        pipeline.check(kept, NOW)
        services.except_content(
            content=kept,
            cause_ref=token(),
            actor=UserFactory(),
            now=NOW,
            same_file_only=True,
        )

        same = receive(platform, file, "post-2")
        pipeline.check(same, NOW)
        copy = receive(platform, resaved(chelsea, 80, 1.0), "post-3")
        pipeline.check(copy, NOW)

        assert not Flag.objects.filter(content=same).exists()
        assert Flag.objects.filter(content=copy).exists()

    def test_by_a_second_person_covers_re_saved_copies_too(self, platform, chelsea):
        bank(chelsea)
        kept = receive(platform, resaved(chelsea, 90, 1.0))
        pipeline.check(kept, NOW)
        given = {"content": kept, "actor": UserFactory(), "now": NOW}
        services.except_content(cause_ref=token(), same_file_only=True, **given)
        services.except_content(cause_ref=token(), **given)

        copy = receive(platform, resaved(chelsea, 80, 1.0), "post-2")
        pipeline.check(copy, NOW)

        assert not Flag.objects.filter(content=copy).exists()
