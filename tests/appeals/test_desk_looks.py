"""The desk for appeals: what a look costs."""

import io

import pytest
from django.test import Client
from PIL import Image, ImageChops

from moderation.models import Evidence
from reviews.models import Reveal
from tests.appeals.visits import AS_PICTURE, answer, at, run_out, with_picture
from tests.factories import NOW
from tests.reviews.signin import let_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("config.urls_staff")]


class TestPicture:
    def test_is_small_grey_and_not_the_original(self, desk, held, pictures):
        original = with_picture(held, pictures)

        response = desk.get(at(held, "picture/"), headers=AS_PICTURE)

        shown = Image.open(io.BytesIO(response.content))
        assert response.headers["Content-Type"] == "image/webp"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert max(shown.size) <= 1024
        assert response.content != original
        red, _green, blue = shown.convert("RGB").split()
        assert ImageChops.difference(red, blue).getextrema()[1] < 12
        assert not Reveal.objects.exists()

    def test_needs_a_live_lease(self, desk, held, pictures):
        with_picture(held, pictures)
        run_out(held)

        assert desk.get(at(held, "picture/"), headers=AS_PICTURE).status_code == 404

    @pytest.mark.parametrize(
        "wrong", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-dest": "document"}]
    )
    def test_is_for_an_img_of_this_site(self, desk, held, pictures, wrong):
        with_picture(held, pictures)

        response = desk.get(at(held, "picture/"), headers={**AS_PICTURE, **wrong})

        assert response.status_code == 403

    def test_that_was_destroyed_is_not_there(self, desk, held, pictures):
        with_picture(held, pictures)
        Evidence.objects.get().shred(NOW)

        assert desk.get(at(held, "picture/"), headers=AS_PICTURE).status_code == 404


class TestLook:
    def ordered(self, desk, claim, derivative="GREY"):
        return desk.post(
            at(claim, "look/"),
            {"derivative": derivative},
            headers={"accept": "application/json"},
        )

    def test_is_written_down_before_the_first_byte_and_works_once(
        self, desk, held, reviewer, pictures
    ):
        original = with_picture(held, pictures)
        url = self.ordered(desk, held).json()["url"]

        reveal = Reveal.objects.get()
        assert reveal.reviewer == reviewer
        assert reveal.content == held.appeal.grant.decision.flag.content
        assert reveal.lease_token == held.token
        assert reveal.served_at is None

        first = desk.get(url, headers=AS_PICTURE)
        assert first.status_code == 200
        assert first.content != original
        assert desk.get(url, headers=AS_PICTURE).status_code == 404

    def test_is_not_given_without_a_live_lease(self, desk, held, pictures):
        with_picture(held, pictures)
        run_out(held)

        assert self.ordered(desk, held).status_code == 404
        assert not Reveal.objects.exists()

    def test_ends_with_the_lease(self, desk, held, pictures):
        with_picture(held, pictures)
        url = self.ordered(desk, held).json()["url"]
        run_out(held)

        assert desk.get(url, headers=AS_PICTURE).status_code == 404

    def test_is_nothing_for_another_session(self, desk, held, reviewer, pictures):
        with_picture(held, pictures)
        url = self.ordered(desk, held).json()["url"]
        elsewhere = Client()
        let_in(elsewhere, reviewer)

        assert elsewhere.get(url, headers=AS_PICTURE).status_code == 404

    def test_in_colour_comes_after_grey(self, desk, held, pictures):
        with_picture(held, pictures)
        refused = self.ordered(desk, held, "COLOUR")
        assert refused.status_code == 409
        assert not Reveal.objects.exists()

        desk.get(self.ordered(desk, held).json()["url"], headers=AS_PICTURE)

        assert self.ordered(desk, held, "COLOUR").status_code == 200

    def test_works_without_script_and_keeps_what_was_typed(self, desk, held, pictures):
        with_picture(held, pictures)

        response = desk.post(
            at(held, "look/"),
            answer(held, derivative="GREY", reasoning="half a thou"),
        )

        page = response.content.decode()
        assert 'class="media look"' in page
        assert "half a thou" in page
        assert 'value="UPHELD" data-key="1" checked' in page
