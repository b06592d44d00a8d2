"""Every address of the hub: what its headers promise, the worker, the way out, the language (T-01, T-03)."""

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.urls import reverse

from moderation.models import Platform
from tests.factories import HashBankFactory
from tests.victims.visit import FORM, post, sending
from victims.models import Case
from victims.urls import urlpatterns

NAMES = [route.name for route in urlpatterns if "<" not in str(route.pattern)]
TOPIC = "image photo nude intimate abuse victim hash fingerprint report remov case pin revenge"


@pytest.fixture
def inside(client):
    """A visitor who has just opened a case."""
    HashBankFactory()
    post(client, "make", sending())
    return client


class TestEveryAddress:
    @pytest.mark.parametrize("name", NAMES)
    def test_leaves_as_little_as_a_page_can(self, db, client, name):
        response = client.get(reverse(f"victims:{name}"))

        assert response.status_code in (200, 302, 405)
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "same-origin"
        assert "noindex" in response["X-Robots-Tag"]
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"
        policy = response["Content-Security-Policy"]
        for part in (
            "default-src 'none'", "script-src 'self'", "connect-src 'none'",
            "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ):  # fmt: skip
            assert part in policy
        assert "unsafe" not in policy
        assert "http" not in policy

    @pytest.mark.parametrize("name", NAMES)
    def test_sets_no_cookie_that_outlives_the_window(self, db, client, name):
        response = client.get(reverse(f"victims:{name}"))

        for cookie in response.cookies.values():
            if cookie.value:
                assert not cookie["max-age"]
                assert not cookie["expires"]
                assert cookie["httponly"]
                assert cookie["samesite"] == "Strict"

    @pytest.mark.parametrize("name", NAMES)
    def test_says_nothing_of_the_topic_in_title_or_address(self, db, inside, name):
        address = reverse(f"victims:{name}")
        text = inside.get(address).content.decode()

        assert not [word for word in TOPIC.split() if word in address]
        if text:
            assert "<title>Help and support</title>" in text

    @pytest.mark.parametrize("name", NAMES)
    def test_has_no_code_or_style_of_its_own_and_asks_no_other_host(
        self, db, inside, name
    ):
        text = inside.get(reverse(f"victims:{name}")).content.decode()

        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text
        for tag in text.split("<script")[1:]:
            assert 'src="/static/' in tag.split(">")[0]
        assert not [part for part in text.split('src="')[1:] if part[0] != "/"]

    @pytest.mark.parametrize("name", NAMES)
    def test_keeps_no_session_of_a_visitor_who_only_reads(self, db, client, name):
        client.get(reverse(f"victims:{name}"))

        assert not Session.objects.exists()

    @pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
    @pytest.mark.parametrize("name", NAMES)
    def test_takes_no_other_method(self, db, client, name, method):
        response = getattr(client, method)(
            reverse(f"victims:{name}"), **({} if method == "trace" else {"content_type": FORM})
        )  # fmt: skip

        assert response.status_code in (302, 405, 415)
        assert not Case.objects.exists()


class TestWorker:
    @pytest.mark.parametrize("name", ["hasher-worker", "canary", "kinds", "pdq", "picture"])  # fmt: skip
    def test_is_served_with_the_policy_that_keeps_it_from_sending(self, client, name):
        response = client.get(reverse("victims:worker", args=[name]))

        assert response.status_code == 200
        assert response["Content-Type"] == "text/javascript"
        assert response["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; connect-src 'none'"
        )

    @pytest.mark.parametrize("name", ["hasher", "settings", "row", "words"])
    def test_serves_no_other_file(self, client, name):
        assert client.get(reverse("victims:worker", args=[name])).status_code == 404


class TestLeave:
    def test_ends_the_session_and_asks_the_browser_to_forget(
        self, db, inside, settings
    ):
        assert Session.objects.exists()

        response = inside.get(reverse("victims:leave"))

        assert response["Location"] == settings.EXIT_URL
        assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'
        assert not Session.objects.exists()
        assert not any(cookie.value for cookie in response.cookies.values())
        assert inside.get(reverse("victims:now")).status_code == 302

    def test_works_while_the_database_is_down(self, db, inside, settings):
        def down(*_):
            raise OperationalError

        inside.raise_request_exception = False
        with connection.execute_wrapper(down):
            response = inside.get(reverse("victims:leave"))

        assert response["Location"] == settings.EXIT_URL
        assert not any(cookie.value for cookie in response.cookies.values())

    def test_is_the_first_thing_on_every_page(self, db, client):
        for name in NAMES:
            response = client.get(reverse(f"victims:{name}"), follow=name != "leave")
            if response.status_code == 200:
                links = response.content.decode().split("<a ")[1:3]
                assert 'class="skip"' in links[0]
                assert 'id="exit" href="/leave/"' in links[1]

    def test_is_not_written_down(self, db, client, capsys):
        client.get(reverse("victims:leave"))

        assert "leave" not in capsys.readouterr().out


class TestLanguage:
    def test_is_kept_for_the_visit_and_leads_back(self, db, client, settings):
        page = "http://testserver/help/?c=PK"

        response = client.get("/language/ur/", headers={"referer": page})

        assert response["Location"] == "/help/?c=PK"
        cookie = response.cookies[settings.LANGUAGE_COOKIE_NAME]
        assert cookie.value == "ur"
        assert not cookie["max-age"]
        assert b'<html lang="ur" dir="rtl">' in client.get("/").content

    @pytest.mark.parametrize(
        "before",
        ["", "https://elsewhere.example/", "//x", "http://testserver/language/"],
    )
    def test_leads_to_the_start_from_anywhere_else(self, db, client, before):
        response = client.get("/language/es/", headers={"referer": before})

        assert response["Location"] == "/"

    def test_never_leads_elsewhere_by_way_of_a_page_that_is_not_there(self, db, client):
        before = "http://testserver//elsewhere.example/x"

        response = client.get("/language/es/", headers={"referer": before})

        assert response["Location"] == "/elsewhere.example/x"

    def test_is_one_that_we_have(self, client):
        assert client.get("/language/tlh/").status_code == 404

    def test_names_stand_in_their_own_script(self, db, client):
        text = client.get("/").content.decode()

        for name in ("English", "Español", "اردو"):
            assert name in text
        assert '<a href="/language/ur/" lang="ur" hreflang="ur" dir="rtl"' in text


class TestWords:
    def test_names_the_connected_services(self, db, client):
        for alias, name, on in (("a", "Harbour", True), ("b", "Gone", False)):
            Platform.objects.create(
                alias=alias, name=name, is_active=on, created_at="2026-01-01T00:00Z"
            )

        text = client.get(reverse("victims:about")).content.decode()

        assert "These are the connected services: Harbour." in text

    def test_help_needs_no_case_and_a_chosen_country_only(self, db, client):
        text = client.get("/help/", {"c": "PK"}).content.decode()

        assert "0800-39393" in text
        assert 'href="tel:15"' in text
        assert "Not checked by a person yet" in text
        assert client.get("/help/", {"c": "<script>"}).status_code == 200
