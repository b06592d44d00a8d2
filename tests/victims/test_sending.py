"""What may be sent to the hub, and what is asked before (T-01, T-02, T-10)."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import HashBankFactory
from tests.victims.factories import fingerprint
from tests.victims.visit import FORM, post, sending
from victims.models import Attempt, Case, Limit
from victims.services import door

POSTED = ["age", "make", "open", "ready", "stop", "leave_number"]
OTHER_KINDS = [
    "multipart/form-data; boundary=x",
    "application/json",
    "image/jpeg",
    "text/plain",
    "",
]


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
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
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

    def test_is_never_lost_when_too_many_come_at_once(self, db, client, monkeypatch):
        HashBankFactory()
        monkeypatch.setattr(
            door, "PER_SITE", Limit(free=2, window=timedelta(minutes=1))
        )
        for _ in range(2):
            assert post(client, "make", sending()).status_code == 302

        response = post(client, "make", sending())

        assert response.status_code == 503
        assert response["Retry-After"] == "2"
        assert sending()["hash"][0].encode() in response.content
        assert Case.objects.count() == 2


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
