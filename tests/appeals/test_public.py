"""The appeals face, as somebody with a link meets it."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from appeals.access import QUIET
from appeals.models import Appeal
from reviews.models import AppealGrant
from tests.appeals.factories import AppealFactory, GrantFactory
from tests.appeals.visits import DECISION, RAW, STATUS, WHY, link, masked, state
from tests.factories import NOW, EnforcementFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("config.urls_appeals")]


class TestLink:
    def test_shows_a_page_that_says_nothing(self, client, grant):
        response = client.get(link())

        assert response.status_code == 200
        assert "appeal" not in response.content.decode().lower().replace(
            "/appeals/", ""
        )
        assert "Cache-Control" in response.headers
        assert "no-store" in response.headers["Cache-Control"]
        assert response.headers["Referrer-Policy"] == "same-origin"

    def test_is_left_as_it_was_by_a_mail_scanner(self, client, grant):
        before = state()

        for method in (client.get, client.head, client.get):
            method(link())

        assert state() == before
        assert "s" not in client.cookies
        assert client.get(DECISION).status_code == 404

    def test_shows_the_same_page_for_every_token(self, client, grant):
        pages = {masked(client.get(link(raw))) for raw in (RAW, "b" * 43, "x")}

        assert len(pages) == 1

    def test_is_traded_for_a_visit_whose_address_has_no_token(self, client, grant):
        response = client.post(link())

        assert response.status_code == 302
        assert response.headers["Location"] == DECISION
        assert RAW not in client.get(DECISION).content.decode()

    def test_gets_a_fresh_session_id(self, client, grant):
        client.get(link())
        session = client.session
        session["planted"] = True
        session.save()
        client.cookies["s"] = session.session_key

        client.post(link())

        assert client.cookies["s"].value != session.session_key

    def test_works_again(self, client, grant):
        client.post(link())

        assert client.post(link()).status_code == 302

    def test_answers_wrong_and_ended_tokens_alike_with_the_same_work(
        self, client, grant, django_assert_num_queries
    ):
        GrantFactory(raw="e" * 43, expires_at=timezone.now())
        answers = []
        for raw in ("e" * 43, "b" * 43, "x", "%00", "ä" * 300):
            with django_assert_num_queries(1):
                response = client.post(link(raw))
            answers.append((response.status_code, masked(response)))

        assert len(set(answers)) == 1
        status, page = answers[0]
        assert status == 404
        assert "This link has been used or is too old." in page

    def test_opens_the_answer_after_the_time_to_ask_has_ended(self, client):
        GrantFactory(raw="e" * 43, expires_at=timezone.now())
        AppealFactory(
            grant=AppealGrant.objects.get(),
            reply_by=timezone.now() - timedelta(days=30),
        )

        assert client.post(link("e" * 43)).status_code == 302
        assert client.get(STATUS).status_code == 200

    def test_refuses_a_form_from_another_site(self, grant):
        strict = Client(enforce_csrf_checks=True)

        assert strict.post(link()).status_code == 403
        assert not Session.objects.exists()


class TestVisit:
    @pytest.mark.parametrize("path", [DECISION, WHY, STATUS, "/again/"])
    def test_needs_an_opened_link(self, client, grant, path):
        response = client.get(path)

        assert response.status_code == 404
        assert "open the link in the message again" in response.content.decode()

    def test_ends_after_a_quiet_time(self, inside):
        session = inside.session
        session["appeal"] = {
            **session["appeal"],
            "until": (timezone.now() - timedelta(seconds=1)).timestamp(),
        }
        session.save()

        assert inside.get(DECISION).status_code == 404
        assert "appeal" not in inside.session

    def test_is_kept_open_by_use(self, inside):
        session = inside.session
        soon = (timezone.now() + timedelta(minutes=1)).timestamp()
        session["appeal"] = {**session["appeal"], "until": soon}
        session.save()

        inside.get(DECISION)

        left = inside.session["appeal"]["until"] - timezone.now().timestamp()
        assert left > QUIET.total_seconds() - 60

    def test_writes_nothing_by_get(self, inside, client):
        for path in (DECISION, WHY):
            inside.get(path)

        assert not Appeal.objects.exists()

    def test_is_in_the_language_of_the_account(self, client, grant):
        account = grant.decision.flag.content.account
        account.language = "ur-PK"
        account.save()
        client.post(link())

        page = client.get(DECISION)

        assert '<html lang="ur" dir="rtl">' in page.content.decode()
        assert page.headers["Content-Language"] == "ur"

    def test_is_in_the_language_that_was_chosen(self, inside, grant):
        account = grant.decision.flag.content.account
        account.language = "ur"
        account.save()

        response = inside.post("/again/language/", {"language": "es", "next": DECISION})

        assert response.headers["Location"] == DECISION
        assert '<html lang="es"' in inside.get(DECISION).content.decode()

    def test_never_leads_to_another_site(self, inside):
        response = inside.post(
            "/again/language/", {"language": "es", "next": "https://example.org/"}
        )

        assert "example.org" not in response.headers["Location"]

    def test_keeps_the_language_of_a_tongue_that_we_do_not_speak(self, inside, grant):
        account = grant.decision.flag.content.account
        account.language = "tlh"
        account.save()

        assert '<html lang="en"' in inside.get(DECISION).content.decode()


class TestDecision:
    def test_tells_what_was_done_and_why(self, inside, grant):
        decision = grant.decision
        page = inside.get(DECISION).content.decode()

        for text in (
            f"The decision of {NOW:%-d %B %Y}",
            "The post was removed.",
            f"{decision.flag.content.external_id}, posted on",
            decision.policy.title,
            decision.policy.public_text,
            decision.facts,
            decision.reasoning,
            "It was found by automatic means. A person decided.",
            f"until {grant.expires_at:%-d %B %Y}. It is free.",
        ):
            assert text in page
        assert "The account was closed." not in page

    def test_tells_of_the_account_only_what_has_been_approved(self, inside, grant):
        order = EnforcementFactory(
            content=grant.decision.flag.content,
            cause_ref=grant.decision.public_id,
            action="DISABLE_ACCOUNT",
            work_state="HELD_BACK",
            needs_approval=True,
        )
        assert "The account was closed." not in inside.get(DECISION).content.decode()

        order.approved_by, order.approved_at = UserFactory(), NOW
        order.work_state = "WAITING"
        order.save()

        assert "The account was closed." in inside.get(DECISION).content.decode()

    def test_says_who_found_it_when_it_was_a_person(self, inside, grant):
        grant.decision.found_by_machine = False
        grant.decision.save()

        assert (
            "A person found and decided this." in inside.get(DECISION).content.decode()
        )

    def test_offers_no_form_once_the_time_has_ended(self, inside, grant):
        AppealFactory(grant=grant, reply_by=timezone.now(), lodged_at=timezone.now())
        Appeal.objects.all().update(reply_by=timezone.now())
        AppealGrant.objects.filter(pk=grant.pk).update(expires_at=timezone.now())

        page = inside.get(DECISION).content.decode()

        assert "We have your appeal" in page
        assert WHY not in page

    def test_is_a_bounded_number_of_queries(
        self, inside, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(8):
            inside.get(DECISION)
