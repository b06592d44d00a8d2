"""Health, metrics and the headers that every answer carries."""

import pytest

from tests.factories import FlagFactory

pytestmark = pytest.mark.django_db


def test_livez_needs_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/livez").content == b"ok\n"


def test_readyz_asks_the_database(client):
    assert client.get("/readyz").json() == {"database": "ok"}


class TestMetrics:
    def test_hides_from_whoever_has_no_token(self, client, settings):
        settings.METRICS_TOKEN = ""
        assert client.get("/metrics").status_code == 404
        settings.METRICS_TOKEN = "a-long-token"
        wrong = client.get("/metrics", headers={"authorization": "Bearer other"})
        assert wrong.status_code == 404

    @pytest.mark.parametrize("face", ["hub", "appeals", "api"])
    def test_is_not_there_on_a_face_that_may_not_count(self, client, settings, face):
        settings.METRICS_TOKEN = "a-long-token"
        settings.FACE = face

        right = {"authorization": "Bearer a-long-token"}
        assert client.get("/metrics", headers=right).status_code == 404

    def test_counts_without_naming_anybody(self, client, settings):
        settings.METRICS_TOKEN = "a-long-token"
        FlagFactory(content__caption="planted-7f3a")

        answer = client.get(
            "/metrics", headers={"authorization": "Bearer a-long-token"}
        )

        assert "nwmc_flags_open 1.0" in answer.text
        assert "planted" not in answer.text


def test_every_answer_is_kept_by_nobody_and_framed_by_nobody(client):
    for path in ("/livez", "/", "/nowhere/", "/staff/login/"):
        answer = client.get(path)
        assert "no-store" in answer["Cache-Control"], path
        assert answer["Referrer-Policy"] == "same-origin", path
        assert answer["X-Frame-Options"] == "DENY", path
        assert "noindex" in answer["X-Robots-Tag"], path
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
