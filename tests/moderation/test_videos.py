"""Videos: banked by frames, found encoded anew, in a longer one, or as a part; a little in common only asks."""

import io

import numpy as np
import pytest

from moderation import hashing, pipeline, services
from moderation.media import frames
from moderation.models import Content, Enforcement, Fingerprint, Flag, Match
from tests.factories import NOW, HashBankFactory
from tests.moderation.media.videos import animation, scenes, video
from tests.moderation.sendings import receive

pytestmark = pytest.mark.django_db
SIZE = (320, 240)


def film(pictures: list, size: tuple[int, int] = SIZE, **more) -> bytes:
    """Each picture is on for a second."""
    return video([picture.resize(size) for picture in pictures], **more)


@pytest.fixture(scope="module")
def shown() -> list:
    return scenes(12, SIZE)


def bank(data: bytes):
    hashed = [hashing.pdq(frame.pixels) for frame in frames(data)]
    kept = hashing.distinct_frames(
        hashing.VideoFrame(one.hash, one.quality, float(second))
        for second, one in enumerate(hashed)
    )
    return services.bank_hash(
        bank=HashBankFactory().slug,
        signal_type="vpdq",
        value=hashing.pack_frames(kept),
        quality=None,
        source_ref="a" * 32,
        actor="x",
        now=NOW,
    )


class TestAVideo:
    def test_is_found_when_it_was_encoded_anew_and_smaller(self, platform, shown):
        row = bank(film(shown[:6]))
        assert row.entry_count == 6

        content = receive(platform, film(shown[:6], (240, 180)))
        pipeline.check(content, NOW)

        match = Match.objects.get()
        assert (match.banked_hash, match.distance) == (row, 0)
        assert not match.only_review
        assert Enforcement.objects.get().action == "HOLD"
        assert content.kind == Content.Kind.VIDEO

    def test_is_found_as_a_part_of_a_longer_one_and_the_longer_by_its_part(
        self, platform, shown
    ):
        bank(film(shown[:4]))

        verdict = services.match_media(
            platform=platform, media=film(shown[:12]), now=NOW
        )
        assert verdict.verdict == "hold"
        services.withdraw_source(source_refs=["a" * 32], actor="x", now=NOW)
        bank(film(shown[:12]))
        verdict = services.match_media(
            platform=platform, media=film(shown[3:7]), now=NOW
        )
        assert verdict.verdict == "hold"

    def test_with_too_little_in_common_is_a_question_and_hides_nothing(
        self, platform, shown
    ):
        bank(film(shown[:6]))
        content = receive(platform, film([*shown[5:12]]))

        pipeline.check(content, NOW)

        assert Match.objects.get().only_review
        assert Flag.objects.get().content == content
        assert not Enforcement.objects.exists()

    def test_that_is_another_matches_nothing(self, platform, shown):
        bank(film(shown[:5]))

        verdict = services.match_media(
            platform=platform, media=film(shown[6:11]), now=NOW
        )

        assert verdict.verdict == "allow"

    def test_is_found_among_what_was_posted_before(self, platform, shown):
        content = receive(platform, film(shown[:6], (240, 180)))
        pipeline.check(content, NOW)
        kinds = Fingerprint.objects.values_list("signal_type", flat=True)
        assert set(kinds) == {"vpdq", "sha256", "md5"}
        bank(film(shown[:6]))

        ordered, _ = pipeline.look_back(pipeline.gather(NOW), NOW)

        assert [order.content for order in ordered] == [content]

    def test_is_found_by_a_picture_that_is_one_of_its_frames(self, platform, shown):
        still = hashing.pdq(np.asarray(shown[4]))
        content = receive(platform, film(shown[:6]))
        pipeline.check(content, NOW)
        services.bank_hash(
            bank=HashBankFactory().slug,
            signal_type="pdq",
            value=still.hash,
            quality=still.quality,
            source_ref="b" * 32,
            actor="x",
            now=NOW,
        )

        ordered, _ = pipeline.look_back(pipeline.gather(NOW), NOW)
        assert [order.content for order in ordered] == [content]
        verdict = services.match_media(
            platform=platform, media=film(shown[2:7]), now=NOW
        )
        assert verdict.verdict == "hold"

    def test_of_which_a_picture_is_a_frame_is_a_question(self, platform, shown):
        bank(film(shown[:6]))
        out = io.BytesIO()
        shown[3].save(out, "JPEG", quality=80)
        content = receive(platform, out.getvalue())

        pipeline.check(content, NOW)

        assert Match.objects.get().only_review
        assert Flag.objects.get().content == content
        assert not Enforcement.objects.exists()

    def test_that_is_a_moving_picture_is_found_by_a_still_of_it(self, platform, shown):
        still = hashing.pdq(np.asarray(shown[1]))
        services.bank_hash(
            bank=HashBankFactory().slug,
            signal_type="pdq",
            value=still.hash,
            quality=still.quality,
            source_ref="b" * 32,
            actor="x",
            now=NOW,
        )

        verdict = services.match_media(
            platform=platform, media=animation(shown[:3], "WEBP"), now=NOW
        )

        assert verdict.verdict == "hold"

    def test_is_shown_to_a_reviewer_as_a_sheet_of_its_frames(self, platform, shown):
        content = receive(platform, film(shown[:9]))

        sheet = services.picture_for_review(
            content=content, blur=False, grey=True, mark="Rowan"
        )

        assert sheet[8:12] == b"WEBP"

    def test_leaves_the_memory_with_its_withdrawal(self, platform, shown):
        bank(film(shown[:6]))
        assert len(pipeline.bank_index()._current().engines["vpdq"]) == 6

        services.withdraw_source(source_refs=["a" * 32], actor="x", now=NOW)

        assert len(pipeline.bank_index()._current().engines["vpdq"]) == 0

    def test_that_is_broken_is_refused_by_name(self, platform, shown):
        content = receive(platform, film(shown[:6])[:400])

        pipeline.check(content, NOW)

        content.refresh_from_db()
        assert content.refused_code == "truncated"
