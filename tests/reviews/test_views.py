"""The console's pages: wiring, refusals and strangers."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from moderation.models import Flag, User
from reviews.models import Claim, Decision, Policy
from reviews.services import load_policies
from tests.factories import (
    NOW,
    FlagFactory,
    MatchFactory,
    PolicyFactory,
    UserFactory,
)
from tests.reviews.factories import at, given, held_by
from tests.reviews.signin import let_in

pytestmark = pytest.mark.django_db


class TestQueue:
    def test_counts_what_waits_and_shows_no_media(self, desk: Client) -> None:
        FlagFactory.create_batch(2, due_at=timezone.now() + timedelta(hours=1))
        FlagFactory(source=Flag.Source.HASH_MATCH, due_at=NOW - timedelta(days=400))
        FlagFactory(resolved_at=NOW)

        page = desk.get(at("queue"))

        counts = {
            row.source: (row.waiting, row.overdue)
            for row in page.context["desk"].sources
        }
        assert counts == {"DETECTION": (2, 0), "HASH_MATCH": (1, 1)}
        assert "<img" not in page.text

    def test_asks_the_same_number_of_questions_for_any_number_of_flags(
        self, desk: Client, django_assert_max_num_queries
    ) -> None:
        FlagFactory.create_batch(12)

        with django_assert_max_num_queries(10):
            desk.get(at("queue"))

    def test_leads_back_to_what_is_held_as_long_as_it_is(
        self, desk: Client, reviewer: User
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        assert at("item", claim.pk) in desk.get(at("queue")).text
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert at("item", claim.pk) not in desk.get(at("queue")).text

    def test_shows_an_auditor_the_numbers_only(self, client: Client) -> None:
        let_in(client, UserFactory(role=User.Role.AUDITOR))
        FlagFactory()

        page = client.get(at("queue"))

        assert page.status_code == 200
        assert "Take the next one" not in page.text


class TestTaking:
    def test_leads_to_the_page_of_the_claim(self, desk: Client) -> None:
        FlagFactory()

        taken = desk.post(at("claim"))

        assert taken.url == at("item", Claim.objects.get().pk)
        assert desk.get(taken.url).status_code == 200

    def test_again_leads_to_the_one_that_is_held(self, desk: Client) -> None:
        FlagFactory.create_batch(2)

        assert desk.post(at("claim")).url == desk.post(at("claim")).url

    def test_says_that_nothing_waits(self, desk: Client) -> None:
        page = desk.post(at("claim"), follow=True)

        assert "Nothing is waiting that is free to take." in page.text

    def test_is_not_done_by_following_a_link(self, desk: Client) -> None:
        FlagFactory()

        assert desk.get(at("claim")).status_code == 405
        assert not Claim.objects.exists()


class TestTheItem:
    def test_says_why_it_is_here(self, desk: Client, reviewer: User) -> None:
        match = MatchFactory(distance=14)
        FlagFactory(
            content=match.content, priority_parts=[{"part": "match", "points": 60}]
        )
        claim = held_by(reviewer)

        page = desk.get(at("item", claim.pk))

        assert "Fingerprints made by people" in page.text
        assert "Distance 14, threshold 31" in page.text
        assert "Matches a banked fingerprint" in page.text
        assert page.text.count("<img") == 1  # the blurred copy, by its own request

    def test_is_nobody_elses(self, client: Client, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        let_in(client, UserFactory())

        assert client.get(at("item", claim.pk)).status_code == 404

    def test_explains_that_the_time_is_over(self, desk: Client, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        page = desk.get(at("item", claim.pk))

        assert page.status_code == 409
        assert "Your time with this one is over." in page.text

    def test_shows_hostile_words_as_words(self, desk: Client, reviewer: User) -> None:
        words = "\u202egnp.exe <script>alert(1)</script> {{ 7|add:7 }} \x07\u2066"
        FlagFactory(
            content__caption=words, content__account__external_id='"><img src=x>'
        )
        claim = held_by(reviewer)

        page = desk.get(at("item", claim.pk))

        assert (
            "⟦U+202E⟧gnp.exe &lt;script&gt;alert(1)&lt;/script&gt; {{ 7|add:7 }} ⟦U+0007⟧⟦U+2066⟧"
            in page.text
        )
        assert "<script>alert" not in page.text
        assert "\u202e" not in page.text


class TestTheLease:
    def test_is_kept_by_a_sign_of_life(self, desk: Client, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        left = desk.post(at("alive", claim.pk)).json()

        assert 170 < left["left"] <= 180
        assert 170 < left["hard_left"] <= 900

    def test_cannot_be_kept_by_somebody_else(
        self, client: Client, reviewer: User
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        let_in(client, UserFactory())

        for name in ("alive", "leave", "release"):
            assert client.post(at(name, claim.pk)).status_code == 404

    def test_is_shortened_when_the_page_closes(
        self, desk: Client, reviewer: User
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        assert desk.post(at("leave", claim.pk)).status_code == 204
        claim.refresh_from_db()
        assert claim.expires_at <= timezone.now() + timedelta(seconds=30)

    def test_says_when_it_is_lost(self, desk: Client, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        assert desk.post(at("alive", claim.pk)).status_code == 409

    def test_is_given_back(self, desk: Client, reviewer: User) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        page = desk.post(at("release", claim.pk), follow=True)

        assert "You gave it back." in page.text
        claim.refresh_from_db()
        assert claim.ended_why == "RELEASED"


class TestDeciding:
    def test_orders_the_removal_and_says_so(
        self, desk: Client, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        page = desk.post(at("decide", claim.pk), given(claim, policy), follow=True)

        assert "the account waits for a second person" in page.text
        decision = Decision.objects.get()
        assert decision.facts.splitlines() == [
            "The post contains an image that shows a person naked or partly naked.",
            "Words in the post or next to it show that the person did not agree.",
        ]
        assert (decision.removes, decision.disables_account) == (True, True)

    def test_spares_the_account_for_a_noted_reason(
        self, desk: Client, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        spared = given(claim, policy, account="SPARED")

        assert desk.post(at("decide", claim.pk), spared).status_code == 422
        noted = {**spared, "private_notes": "Shared to warn others."}
        assert desk.post(at("decide", claim.pk), noted).status_code == 302
        assert not Decision.objects.get().disables_account

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"policy": ""}, "Choose a policy."),
            ({"seen": []}, "Choose what you saw, or write it down."),
            ({"reasoning": " "}, "Say why the rule applies"),
            ({"facts": "Posted by @someone"}, "Leave out names"),
            ({"reasoning": "See https://example.test"}, "Leave out names"),
            ({"reasoning": "Call 0123456789"}, "Leave out names"),
            ({"policy": 999_999}, "This policy was changed meanwhile."),
        ],
    )
    def test_names_what_is_missing_and_decides_nothing(
        self,
        desk: Client,
        reviewer: User,
        policy: Policy,
        change: dict[str, object],
        said: str,
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        page = desk.post(at("decide", claim.pk), {**given(claim, policy), **change})

        assert page.status_code == 422
        assert said in page.text
        assert 'role="alert"' in page.text
        assert not Decision.objects.exists()

    def test_never_offers_a_policy_that_passes_on(
        self, desk: Client, reviewer: User
    ) -> None:
        load_policies(NOW)
        FlagFactory()
        claim = held_by(reviewer)
        minor = Policy.objects.get(slug="stop.minor")

        page = desk.post(at("decide", claim.pk), given(claim, minor))

        assert page.status_code == 422
        assert f'value="{minor.pk}"' not in page.text

    def test_shows_the_letter_before_it_is_sent(
        self, desk: Client, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory(content__external_id="post-7")
        claim = held_by(reviewer)

        page = desk.post(
            at("decide", claim.pk), {**given(claim, policy), "preview": "1"}
        )

        assert page.status_code == 200
        assert "It concerns post-7" in page.text
        assert "Why the rule applies: Agreement is missing." in page.text
        assert not Decision.objects.exists()

    def test_says_that_nothing_is_sent_for_what_stays(
        self, desk: Client, reviewer: User
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        keep = PolicyFactory(outcome="KEEP")

        page = desk.post(at("decide", claim.pk), {**given(claim, keep), "preview": "1"})

        assert "The account gets no message" in page.text

    def test_answers_a_late_one_with_the_reason_and_the_words(
        self, desk: Client, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        page = desk.post(at("decide", claim.pk), given(claim, policy))

        assert page.status_code == 409
        assert "it went back" in page.text
        assert "Agreement is missing." in page.text
        assert not Decision.objects.exists()

    def test_answers_new_evidence_with_a_way_to_look_again(
        self, desk: Client, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)
        Flag.objects.update(version=2)

        page = desk.post(at("decide", claim.pk), given(claim, policy))

        assert page.status_code == 409
        assert "Something new came in" in page.text
        assert at("item", claim.pk) in page.text

    def test_is_done_once_by_two_clicks(
        self, desk: Client, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        answers = [
            desk.post(at("decide", claim.pk), given(claim, policy)) for _ in range(2)
        ]

        assert [one.status_code for one in answers] == [302, 409]
        assert "Nothing was done twice." in answers[1].text
        assert Decision.objects.count() == 1

    def test_needs_the_token_of_the_claim(
        self, desk: Client, reviewer: User, policy: Policy
    ) -> None:
        FlagFactory()
        claim = held_by(reviewer)

        page = desk.post(
            at("decide", claim.pk), given(claim, policy, claim_token="0" * 32)
        )

        assert page.status_code == 409
        assert not Decision.objects.exists()
