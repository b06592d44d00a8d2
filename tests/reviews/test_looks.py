"""Looking needs a live claim, is counted before the first byte, and its link works once (T-35, T-36, T-37)."""

import io
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from moderation.models import AuditEntry, User
from reviews.models import Claim, Reveal
from reviews.services import release
from tests.factories import FlagFactory, PolicyFactory, UserFactory
from tests.reviews.factories import answer, held_by, with_picture
from tests.reviews.signin import let_in

pytestmark = pytest.mark.django_db
AS_PICTURE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"}


@pytest.fixture
def original(pictures: Path) -> bytes:
    return (pictures / "chelsea.png").read_bytes()


@pytest.fixture
def claim(reviewer: User, original: bytes) -> Claim:
    with_picture(FlagFactory().content, original)
    return held_by(reviewer)


def ask(desk: Client, claim: Claim, derivative: str = "GREY"):  # type: ignore[no-untyped-def]
    return desk.post(
        reverse("reviews:reveal", args=[claim.pk]),
        {"derivative": derivative},
        headers={"Accept": "application/json"},
    )


def see(desk: Client, url: str, **headers: str):  # type: ignore[no-untyped-def]
    return desk.get(url, headers={**AS_PICTURE, **headers})


def blurred(claim: Claim) -> str:
    return reverse("reviews:picture", args=[claim.pk])


def pixels(data: bytes, mode: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode), dtype=np.int16)


def sharpness(data: bytes) -> float:
    """The mean difference of neighbours: near nothing for a blurred picture."""
    return float(np.abs(np.diff(pixels(data, "L"), axis=1)).mean())


def colourfulness(data: bytes) -> float:
    rgb = pixels(data, "RGB")
    return float((rgb.max(axis=2) - rgb.min(axis=2)).mean())


class TestThePicture:
    def test_is_blurred_grey_small_and_kept_nowhere(
        self, desk: Client, claim: Claim, original: bytes
    ) -> None:
        answer = see(desk, blurred(claim))

        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert max(pixels(answer.content, "L").shape) <= 1024
        assert colourfulness(answer.content) < 2 < colourfulness(original)
        assert sharpness(answer.content) < 2 < sharpness(original)
        assert not Reveal.objects.exists()

    def test_is_there_with_a_live_claim_of_ones_own_only(
        self, desk: Client, claim: Claim
    ) -> None:
        assert (
            see(desk, reverse("reviews:picture", args=[claim.pk + 1])).status_code
            == 404
        )
        stranger = Client()
        let_in(stranger, UserFactory())
        assert see(stranger, blurred(claim)).status_code == 404
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert see(desk, blurred(claim)).status_code == 404

    def test_is_gone_after_the_decision(self, desk: Client, claim: Claim) -> None:
        answer(claim, PolicyFactory())

        assert see(desk, blurred(claim)).status_code == 404

    def test_is_gone_when_the_evidence_is(self, desk: Client, claim: Claim) -> None:
        claim.flag.content.evidence.shred(timezone.now())

        assert see(desk, blurred(claim)).status_code == 404

    @pytest.mark.parametrize(
        "header",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Dest": "document"},
            {"Sec-Fetch-Dest": "empty"},
        ],
    )
    def test_is_refused_to_other_sites_and_as_anything_but_a_picture(
        self, desk: Client, claim: Claim, header: dict[str, str]
    ) -> None:
        assert see(desk, blurred(claim), **header).status_code == 403
        link = ask(desk, claim).json()["url"]
        assert see(desk, link, **header).status_code == 403
        assert see(desk, link).status_code == 200  # the refusal has not used it up


class TestALook:
    def test_is_written_down_before_the_first_byte(
        self, desk: Client, claim: Claim, reviewer: User
    ) -> None:
        ask(desk, claim)

        reveal = Reveal.objects.get()
        assert (reveal.reviewer, reveal.content) == (reviewer, claim.flag.content)
        assert reveal.served_at is None
        assert AuditEntry.objects.filter(text__contains="reveal.made").count() == 1

    def test_shows_a_marked_copy_and_never_the_original(
        self, desk: Client, claim: Claim, original: bytes
    ) -> None:
        seen = see(desk, ask(desk, claim).json()["url"])

        assert seen.status_code == 200
        assert seen["Cache-Control"] == "no-store"
        assert seen.content != original
        assert original[200:232] not in seen.content
        assert max(pixels(seen.content, "L").shape) <= 1024
        assert sharpness(seen.content) > 2
        # The mark: a black bar with white letters, below on the right.
        corner = pixels(seen.content, "L")[-14:, -120:]
        assert np.median(corner) < 40
        assert corner.max() > 200
        assert colourfulness(seen.content) < 2

    def test_works_once(self, desk: Client, claim: Claim) -> None:
        link = ask(desk, claim).json()["url"]

        assert [see(desk, link).status_code for _ in range(2)] == [200, 404]
        assert Reveal.objects.count() == 1

    def test_works_in_its_own_session_only(
        self, desk: Client, claim: Claim, reviewer: User
    ) -> None:
        link = ask(desk, claim).json()["url"]
        elsewhere = Client()
        let_in(elsewhere, reviewer)

        assert see(elsewhere, link).status_code == 404
        assert see(desk, link).status_code == 200

    def test_works_for_a_minute(self, desk: Client, claim: Claim) -> None:
        link = ask(desk, claim).json()["url"]

        with time_machine.travel(timezone.now() + timedelta(seconds=61)):
            assert see(desk, link).status_code == 404
        assert Reveal.objects.get().served_at is None

    def test_is_over_with_the_claim(
        self, desk: Client, claim: Claim, reviewer: User
    ) -> None:
        link = ask(desk, claim).json()["url"]
        release(claim=claim, reviewer=reviewer)

        assert see(desk, link).status_code == 404

    def test_comes_in_colour_only_after_grey(self, desk: Client, claim: Claim) -> None:
        refused = ask(desk, claim, "COLOUR")
        assert refused.status_code == 409
        assert refused.json() == {"detail": "See it in grey first."}
        assert not Reveal.objects.exists()

        see(desk, ask(desk, claim).json()["url"])
        seen = see(desk, ask(desk, claim, "COLOUR").json()["url"])

        assert seen.status_code == 200
        assert colourfulness(seen.content) > 20

    def test_ends_at_the_days_budget(
        self, desk: Client, claim: Claim, reviewer: User
    ) -> None:
        for _ in range(119):
            Reveal.objects.create(
                reviewer=reviewer,
                content=claim.flag.content,
                derivative="GREY",
                revealed_at=timezone.now(),
            )

        assert [ask(desk, claim).status_code for _ in range(2)] == [200, 409]
        assert Reveal.objects.count() == 120


class TestNoRowIsWritten:
    def test_without_a_claim(self, desk: Client, reviewer: User) -> None:
        FlagFactory()
        missing = Claim(pk=77)

        assert ask(desk, missing).status_code == 404
        assert not Reveal.objects.exists()

    def test_for_anothers_claim(self, claim: Claim, client: Client) -> None:
        let_in(client, UserFactory())

        assert ask(client, claim).status_code == 404
        assert not Reveal.objects.exists()

    def test_for_a_claim_that_ran_out(self, desk: Client, claim: Claim) -> None:
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        assert ask(desk, claim).status_code == 404
        assert not Reveal.objects.exists()

    def test_after_the_decision(self, desk: Client, claim: Claim) -> None:
        answer(claim, PolicyFactory())

        assert ask(desk, claim).status_code == 404
        assert not Reveal.objects.exists()

    def test_for_a_derivative_that_does_not_exist(
        self, desk: Client, claim: Claim
    ) -> None:
        assert ask(desk, claim, "ORIGINAL").status_code == 404
        assert not Reveal.objects.exists()


def test_without_script_the_page_shows_it_once_and_keeps_what_was_typed(
    desk: Client, claim: Claim
) -> None:
    page = desk.post(
        reverse("reviews:reveal", args=[claim.pk]),
        {"derivative": "GREY", "reasoning": "half a thought", "seen": ["person"]},
    )

    assert page.status_code == 200
    assert "half a thought" in page.text
    assert 'value="person" checked' in page.text
    assert page.context["look_url"] in page.text
    assert see(desk, page.context["look_url"]).status_code == 200
