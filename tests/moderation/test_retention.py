"""What is destroyed when its time has come, and what never is before."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session

from moderation import pipeline, services
from moderation.models import Content, Evidence, Fingerprint
from tests.factories import NOW, FlagFactory
from tests.moderation.sendings import drawing, receive, resaved

pytestmark = pytest.mark.django_db


@pytest.fixture
def chelsea(pictures: Path) -> bytes:
    return (pictures / "chelsea.png").read_bytes()


class TestPurgeExpired:
    def test_destroys_what_expired_and_nothing_that_is_still_needed(
        self, platform, chelsea
    ):
        done = receive(platform, chelsea, "done")
        pipeline.check(done, NOW)
        flagged = receive(platform, resaved(chelsea), "flagged")
        pipeline.check(flagged, NOW)
        FlagFactory(content=flagged)
        waiting = receive(platform, drawing(), "waiting")
        later = NOW + timedelta(hours=25)

        counts = pipeline.purge_expired(later)

        assert counts["evidence"] == 1
        kept = {row.content for row in Evidence.objects.kept()}
        assert kept == {flagged, waiting}
        gone = Evidence.objects.get(content=done)
        assert gone.wrapped_key is None
        with pytest.raises(services.EvidenceUnavailable):
            services.picture_for_review(
                content=Content.objects.get(pk=done.pk), blur=True, grey=True
            )

    def test_counts_the_time_for_an_appeal_from_the_decision(self, platform, chelsea):
        content = receive(platform, chelsea)
        pipeline.check(content, NOW)
        FlagFactory(content=content, resolved_at=NOW)
        late = NOW + timedelta(days=20)
        FlagFactory(content=content, resolved_at=late)
        kept = timedelta(days=settings.APPEAL_DAYS + 31)

        assert pipeline.purge_expired(NOW + kept)["evidence"] == 0
        assert Evidence.objects.get().expires_at == late + kept
        assert pipeline.purge_expired(late + kept)["evidence"] == 1

    def test_keeps_what_is_asked_about_again_after_an_answer(self, platform, chelsea):
        content = receive(platform, chelsea)
        pipeline.check(content, NOW)
        FlagFactory(content=content, resolved_at=NOW - timedelta(days=800))
        FlagFactory(content=content)

        assert pipeline.purge_expired(NOW + timedelta(days=2))["evidence"] == 0

    def test_forgets_fingerprints_of_the_past_after_their_time(self, platform, chelsea):
        pipeline.check(receive(platform, chelsea), NOW)

        pipeline.purge_expired(NOW + timedelta(days=settings.HISTORY_DAYS - 1))
        assert Fingerprint.objects.count() == 4
        pipeline.purge_expired(NOW + timedelta(days=settings.HISTORY_DAYS))
        assert not Fingerprint.objects.exists()

    def test_forgets_sessions_that_nobody_ended(self, db):
        for name, hours in (("left-behind", -1), ("still-here", 1)):
            Session.objects.create(
                session_key=name, expire_date=NOW + timedelta(hours=hours)
            )

        assert pipeline.purge_expired(NOW)["session"] == 1
        assert Session.objects.get().session_key == "still-here"
