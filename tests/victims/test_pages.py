"""Every address of the hub: what its headers promise, and what may be sent to it (T-01 to T-03, T-10)."""

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.models import Platform
from tests.factories import HashBankFactory
from tests.victims.factories import PIN, fingerprint
from victims.models import Attempt, Case
from victims.urls import urlpatterns

FORM = "application/x-www-form-urlencoded"
NAMES = [route.name for route in urlpatterns if "<" not in str(route.pattern)]
POSTED = ["age", "make", "open", "ready", "stop", "leave_number"]
TOPIC = "image photo nude intimate abuse victim hash fingerprint report remov case pin revenge"
OTHER_KINDS = [
    "multipart/form-data; boundary=x",
    "application/json",
    "image/jpeg",
    "text/plain",
    "",
]


@pytest.fixture
def inside(client):
    """A visitor who has just opened a case."""
    HashBankFactory()
    post(client, "make", sending())
    return client


def sending(*seeds, **changed):
    return {
        "hash": [f"{fingerprint(seed)}:80:photo" for seed in seeds or (1,)],
        "adult": "on",
        "me": "on",
        "no_consent": "on",
        "kind": "own",
        "pin": PIN,
        "words": "",
    } | changed


def post(client, name, data, **more):
    """As a browser posts a plain form."""
    address = reverse(f"victims:{name}")
    body = "&".join(
        f"{key}={one}"
        for key, value in {"csrfmiddlewaretoken": "x", **data}.items()
        for one in (value if isinstance(value, list) else [value])
    )
    return client.post(address, body.replace(" ", "+"), content_type=FORM, **more)


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


class TestWhatIsSent:
    @pytest.mark.parametrize("kind", OTHER_KINDS)
    @pytest.mark.parametrize("name", POSTED)
    def test_must_be_a_plain_form(self, db, client, name, kind):
        response = client.post(
            reverse(f"victims:{name}"), b"\xff\xd8\xff", content_type=kind
        )

        assert response.status_code == 415
        assert b"Images stay on your device" in response.content

    @pytest.mark.parametrize("name", POSTED)
    def test_must_be_short(self, db, client, name):
        big = b"a=" + b"x" * (64 * 1024)

        response = client.post(reverse(f"victims:{name}"), big, content_type=FORM)

        assert response.status_code == 413
        assert not Case.objects.exists()

    @pytest.mark.parametrize(
        "field", ["filename", "file", "exif", "size", "hash2", "Hash"]
    )
    def test_must_have_no_other_field(self, db, client, field):
        HashBankFactory()

        response = post(client, "make", sending(**{field: "IMG_2031"}))

        assert response.status_code == 400
        assert not Case.objects.exists()

    @settings(
        max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(name=st.text("abcdefghijklmnopqrstuvwxyz_[]0123456789", min_size=1))
    def test_must_have_no_other_field_whatever_its_name(self, db, client, name):
        HashBankFactory()
        known = {*sending(), "csrfmiddlewaretoken"}

        response = post(client, "make", sending(pin="short") | {name: "on"})

        assert response.status_code in ((400, 422) if name in known else (400,))

    @pytest.mark.parametrize(
        "entry",
        [
            "", "x", fingerprint(1), f"{fingerprint(1)}:80", f"{fingerprint(1)}:80:video",
            f"{fingerprint(1).upper()}:80:photo", f"{fingerprint(1)}:49:photo",
            f"{fingerprint(1)}:101:photo", f"{fingerprint(1)}:-1:photo",
            f"{fingerprint(1)}:80:photo:IMG_2031.jpg", f" {fingerprint(1)}:80:photo",
            f"{'0' * 64}:80:photo", f"{'f' * 64}:80:photo", f"{'0f' * 16}{'00' * 16}:80:photo",
            f"{fingerprint(1)[:-1]}:80:photo", f"{fingerprint(1)}:\u0668\u0660:photo",
        ],
    )  # fmt: skip
    def test_must_be_fingerprints_that_pictures_have(self, db, client, entry):
        HashBankFactory()

        response = post(client, "make", sending(hash=[entry]))

        assert response.status_code == 400
        assert not Case.objects.exists()

    def test_must_be_a_hundred_fingerprints_at_most(self, db, client):
        HashBankFactory()

        assert post(client, "make", sending(*range(101))).status_code == 400
        assert post(client, "make", sending(*range(100))).status_code == 302
        assert Case.objects.get().hashes.count() == 100

    def test_counts_an_image_sent_twice_once(self, db, client):
        HashBankFactory()

        post(client, "make", sending(1, 1, 2))

        assert Case.objects.get().hashes.count() == 2


class TestAge:
    def test_comes_before_any_field_for_files(self, db, client):
        response = client.get(reverse("victims:make"), follow=True)

        assert response.redirect_chain == [(reverse("victims:age"), 302)]
        assert b'type="file"' not in response.content

    @pytest.mark.parametrize("answer", ["yes", "unsure"])
    def test_leads_to_help_and_keeps_nothing(self, db, client, answer):
        response = post(client, "age", {"way": "1", "answer": answer}, follow=True)

        assert response.redirect_chain == [(reverse("victims:other"), 302)]
        assert b'type="file"' not in response.content
        assert b"hasher" not in response.content
        assert not Session.objects.exists()
        assert not Case.objects.exists()
        assert not Attempt.objects.exists()

    def test_takes_back_an_earlier_no(self, db, client):
        post(client, "age", {"way": "1", "answer": "no"})
        post(client, "age", {"way": "1", "answer": "unsure"})

        assert client.get(reverse("victims:make")).status_code == 302

    @pytest.mark.parametrize(
        ("way", "name"), [("1", "make"), ("2", "before"), ("3", "first")]
    )
    def test_no_goes_on_where_the_person_was_going(self, db, client, way, name):
        response = post(client, "age", {"way": way, "answer": "no"})

        assert response["Location"] == reverse(f"victims:{name}")
        page = client.get(reverse("victims:make"))
        assert page.status_code == 200
        assert b'type="file"' in page.content

    def test_without_an_answer_is_asked_again(self, db, client):
        response = post(client, "age", {"way": "2"})

        assert response.status_code == 422
        assert b"Choose one answer." in response.content
        assert b'name="way" value="2"' in response.content


class TestMake:
    def test_page_lets_no_other_policy_make_scripts(self, db, client):
        post(client, "age", {"way": "1", "answer": "no"})

        policy = client.get(reverse("victims:make"))["Content-Security-Policy"]

        assert "trusted-types hasher" in policy
        assert "connect-src 'none'" in policy

    def test_file_field_has_no_name_and_stands_in_no_form(self, db, client):
        post(client, "age", {"way": "1", "answer": "no"})

        text = client.get(reverse("victims:make")).content.decode()

        field = text[text.index('<input type="file"') :].split(">")[0]
        assert "name=" not in field
        assert text.index('type="file"') < text.index("<form")

    @pytest.mark.parametrize("missing", ["adult", "me", "no_consent"])
    def test_needs_all_three_statements(self, db, client, missing):
        data = sending()
        del data[missing]

        response = post(client, "make", data)

        assert response.status_code == 422
        assert b"Without these three statements" in response.content
        assert not Case.objects.exists()

    @pytest.mark.parametrize(
        ("pin", "words"),
        [
            ("", b"Use at least 8"), ("abc", b"Use at least 8"), ("x" * 500, b"Use at least 8"),
            ("12031990", b"Others could guess"), ("password1", b"Others could guess"),
        ],
    )  # fmt: skip
    def test_refuses_a_pin_that_others_could_guess(self, db, client, pin, words):
        response = post(client, "make", sending(pin=pin))

        assert response.status_code == 422
        assert words in response.content
        assert not Case.objects.exists()

    def test_keeps_the_fingerprints_and_forgets_the_pin_when_it_asks_again(
        self, db, client
    ):
        text = post(client, "make", sending(1, 2, pin="princess77")).content.decode()

        assert text.count('name="hash"') == 2
        assert "2 fingerprints of images" in text
        assert "princess77" not in text
        assert 'type="file"' not in text

    def test_without_fingerprints_says_so(self, db, client):
        response = post(client, "make", sending(hash=[]))

        assert response.status_code == 422
        assert b"No fingerprint could be made yet" in response.content

    def test_takes_four_words_of_ours_as_pin_and_no_others(self, db, client):
        HashBankFactory()
        post(client, "age", {"way": "1", "answer": "no"})
        phrase = client.get(reverse("victims:make")).context["phrases"][3]

        others = post(client, "make", sending(kind="words", words="I am not yours"))
        ours = post(client, "make", sending(kind="words", words=phrase, pin=""))

        assert others.status_code == 400
        assert ours.status_code == 302
        assert Case.objects.count() == 1


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
