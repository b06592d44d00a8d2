"""The appeals face: asking for a second look, and what becomes of it."""

import itertools
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from appeals.models import Appeal
from appeals.services import lodge, words_of
from reviews.models import AppealGrant
from tests.appeals.factories import AppealFactory, GrantFactory
from tests.appeals.visits import DECISION, STATUS, WHY, masked
from tests.factories import NOW, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("config.urls_appeals")]


class TestGround:
    def test_lodges_the_appeal_and_shows_the_receipt(self, inside, grant):
        response = inside.post(
            WHY, {"ground": "CONSENT", "words": "One\r\ntwo"}, follow=True
        )

        appeal = Appeal.objects.get()
        assert appeal.grant == grant
        assert appeal.ground == Appeal.Ground.CONSENT
        assert words_of(appeal) == "One\ntwo"
        page = response.content.decode()
        assert response.redirect_chain == [(STATUS, 302)]
        assert "We have your appeal" in page
        assert "Waiting for a reviewer" in page
        assert f"We answer by {appeal.reply_by:%-d %B %Y}." in page

    def test_is_lodged_in_the_language_of_the_page(self, inside):
        inside.cookies["l"] = "es"

        inside.post(WHY, {"ground": "OTHER"})

        assert Appeal.objects.get().language == "es"

    @pytest.mark.parametrize("given", [{}, {"ground": "NONSENSE"}])
    def test_asks_for_one_reason(self, inside, given):
        response = inside.post(WHY, {**given, "words": "kept words"})

        page = response.content.decode()
        assert response.status_code == 422
        assert "There is 1 thing to look at on this page." in page
        assert 'href="#id_ground"' in page
        assert page.count("Choose one reason") == 2
        assert "kept words" in page
        assert not Appeal.objects.exists()

    def test_takes_4000_characters_as_a_person_counts_them(self, inside):
        text = "x\r\n" * 2000

        assert inside.post(WHY, {"ground": "ME", "words": text}).status_code == 302

    def test_takes_no_more(self, inside):
        response = inside.post(WHY, {"ground": "ME", "words": "x" * 4001})

        assert response.status_code == 422
        assert "Your text has 4001 characters. It can have 4000 at most." in (
            response.content.decode()
        )
        assert not Appeal.objects.exists()

    def test_takes_no_null_character(self, inside):
        response = inside.post(WHY, {"ground": "ME", "words": "a\x00b"})

        assert response.status_code == 422

    def test_is_not_asked_twice(self, inside):
        inside.post(WHY, {"ground": "ME", "words": "first"})

        second = inside.post(WHY, {"ground": "OTHER", "words": "second"})

        assert second.status_code == 422
        assert "You already asked about this decision on" in second.content.decode()
        assert words_of(Appeal.objects.get()) == "first"
        assert inside.get(WHY).headers["Location"] == STATUS

    def test_is_refused_when_the_time_ended_while_the_page_was_open(
        self, inside, grant, monkeypatch
    ):
        start = timezone.now()
        AppealGrant.objects.filter(pk=grant.pk).update(
            expires_at=start + timedelta(seconds=30)
        )
        minutes = (start + timedelta(minutes=count) for count in itertools.count())
        clock = SimpleNamespace(now=minutes.__next__)
        monkeypatch.setattr("appeals.views.public.timezone", clock)

        response = inside.post(WHY, {"ground": "ME"})

        assert response.headers["Location"] == DECISION
        assert not Appeal.objects.exists()


class TestStatus:
    def test_is_nothing_before_an_appeal(self, inside):
        assert inside.get(STATUS).status_code == 404

    def test_does_not_change_when_a_reviewer_takes_it(self, inside, grant):
        appeal = AppealFactory(grant=grant)
        before = masked(inside.get(STATUS))

        appeal.claims.create(
            reviewer=UserFactory(),
            epoch=1,
            claimed_at=timezone.now(),
            expires_at=timezone.now() + timedelta(minutes=3),
            hard_expires_at=timezone.now() + timedelta(minutes=3),
        )

        assert masked(inside.get(STATUS)) == before

    @pytest.mark.parametrize(
        ("outcome", "title", "sentence"),
        [
            ("UPHELD", "The decision stays", "stays."),
            ("OVERTURNED", "The decision was changed", "The points are taken back."),
        ],
    )
    def test_tells_the_answer_and_its_reasons(
        self, inside, grant, outcome, title, sentence
    ):
        AppealFactory(
            grant=grant,
            outcome=outcome,
            reasoning="We looked again.",
            decided_by=UserFactory(),
            decided_at=NOW,
        )

        page = inside.get(STATUS).content.decode()

        assert f"<h1>{title}</h1>" in page
        assert sentence in page
        assert "Reason: We looked again." in page
        assert "or go to court" in page

    def test_is_the_callers_own(self, inside, grant):
        other = GrantFactory()
        lodge(grant=other, ground="ME", words="", language="en", now=NOW)

        assert inside.get(STATUS).status_code == 404
