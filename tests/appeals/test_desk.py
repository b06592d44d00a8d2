"""The desk for appeals: who gets in, and what an answer needs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from appeals.models import Appeal, AppealClaim
from moderation.storage import seal_text
from tests.appeals.factories import AppealClaimFactory, AppealFactory
from tests.appeals.visits import NEXT, QUEUE, answer, at, run_out
from tests.factories import UserFactory
from tests.reviews.signin import let_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("config.urls_staff")]


class TestDoor:
    def test_is_closed_without_sign_in(self, client, held):
        for path in (QUEUE, at(held), at(held, "picture/")):
            assert client.get(path).status_code == 302

    def test_is_closed_without_a_second_factor(self, client, reviewer, held):
        let_in(client, reviewer, second_factor=False)

        assert "factors" in client.get(QUEUE).headers["Location"]

    def test_shows_an_auditor_numbers_and_nothing_else(self, client):
        auditor = UserFactory(role="AUDITOR")
        let_in(client, auditor)
        AppealFactory()
        claim = AppealClaimFactory(reviewer=auditor)

        assert client.get(QUEUE).status_code == 200
        assert client.post(NEXT).status_code == 403
        for tail in ("", "picture/"):
            assert client.get(at(claim, tail)).status_code == 403

    @pytest.mark.parametrize(
        ("method", "tail"),
        [
            ("get", ""),
            ("get", "picture/"),
            ("post", "look/"),
            ("post", "alive/"),
            ("post", "leave/"),
            ("post", "back/"),
            ("post", "answer/"),
        ],
    )
    def test_knows_no_claim_of_somebody_else(self, desk, method, tail):
        other = AppealClaimFactory()

        response = getattr(desk, method)(at(other, tail), answer(other))

        assert response.status_code == 404
        other.appeal.refresh_from_db()
        assert other.appeal.is_open

    def test_shuts_on_who_approved_while_holding(self, desk, held, reviewer):
        Appeal.objects.filter(pk=held.appeal_id).update(first_approver=reviewer)

        assert desk.get(at(held)).status_code == 404

    @pytest.mark.parametrize("tail", ["look/", "alive/", "leave/", "back/", "answer/"])
    def test_changes_nothing_by_get(self, desk, held, tail):
        assert desk.get(at(held, tail)).status_code == 405
        assert desk.get(NEXT).status_code == 405


class TestQueue:
    def test_counts_what_this_reviewer_may_decide(self, desk, reviewer):
        AppealFactory(ground="ME", reply_by=timezone.now() - timedelta(hours=1))
        AppealFactory(ground="ME", reply_by=timezone.now() + timedelta(days=3))
        AppealFactory(first_reviewer=reviewer)

        page = desk.get(QUEUE).content.decode()

        assert "2 are waiting" in page
        assert "I am the person in the image" in page
        assert "It is not an intimate image" not in page
        assert "1 more waits for somebody else." in page

    def test_gives_the_next_one(self, desk, reviewer):
        AppealFactory()

        response = desk.post(NEXT)

        claim = AppealClaim.objects.get()
        assert claim.reviewer == reviewer
        assert response.headers["Location"] == at(claim)

    def test_says_when_nothing_waits(self, desk):
        page = desk.post(NEXT, follow=True).content.decode()

        assert "No appeal is waiting that is free for you." in page

    def test_leads_back_to_what_is_held(self, desk, held):
        assert at(held) in desk.get(QUEUE).content.decode()

        run_out(held)

        assert at(held) not in desk.get(QUEUE).content.decode()

    def test_is_a_bounded_number_of_queries(self, desk, django_assert_max_num_queries):
        for ground in Appeal.Ground:
            AppealFactory(ground=ground)

        with django_assert_max_num_queries(10):
            desk.get(QUEUE)


class TestItem:
    def test_shows_the_decision_and_what_the_account_says(self, desk, held):
        Appeal.objects.filter(pk=held.appeal_id).update(
            words_sealed=seal_text("A \u202espoof", "appeal")
        )
        decision = held.appeal.grant.decision

        page = desk.get(at(held)).content.decode()

        for text in (
            held.appeal.get_ground_display(),
            "A ⟦U+202E⟧spoof",
            decision.facts,
            decision.reasoning,
            decision.policy.title,
        ):
            assert text in page

    def test_keeps_the_lease_because_somebody_reads(self, desk, held):
        before = timezone.now() + timedelta(minutes=1)
        AppealClaim.objects.filter(pk=held.pk).update(expires_at=before)

        desk.get(at(held))

        held.refresh_from_db()
        assert held.expires_at > before

    def test_is_gone_with_the_lease(self, desk, held):
        run_out(held)

        response = desk.get(at(held))

        assert response.status_code == 409
        assert held.appeal.get_ground_display() not in response.content.decode()

    def test_is_a_bounded_number_of_queries(
        self, desk, held, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(16):
            desk.get(at(held))


class TestAnswer:
    def test_decides_and_goes_back_to_the_queue(self, desk, held, reviewer):
        response = desk.post(at(held, "answer/"), answer(held), follow=True)

        held.appeal.refresh_from_db()
        assert held.appeal.outcome == "UPHELD"
        assert held.appeal.decided_by == reviewer
        assert response.redirect_chain == [(QUEUE, 302)]
        assert "Decided. The decision stays." in response.content.decode()

    def test_takes_ready_reasons_and_own_words(self, desk, held):
        ready = "The first decision rested on a mistake of ours. It is changed."

        desk.post(
            at(held, "answer/"),
            answer(held, outcome="OVERTURNED", ready=[ready], reasoning="Sorry."),
        )

        held.appeal.refresh_from_db()
        assert held.appeal.reasoning == f"{ready}\nSorry."

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"outcome": ""}, "Choose whether the decision stays or is changed."),
            ({"outcome": "PARTLY"}, "Choose whether the decision stays or is changed."),
            ({"reasoning": " "}, "Give your reasons."),
            ({"reasoning": "Ask mara@example.org"}, "Leave out names, handles"),
            ({"reasoning": "x" * 4001}, "It can have 4000 at most."),
            (
                {
                    "ready": [
                        "The first decision rested on a mistake of ours. It is changed."
                    ]
                },
                "This reason belongs to the other answer.",
            ),
        ],
    )
    def test_comes_back_with_what_is_missing(self, desk, held, changes, said):
        response = desk.post(at(held, "answer/"), answer(held, **changes))

        page = response.content.decode()
        assert response.status_code == 422
        assert "There is 1 thing to look at on this page." in page
        assert said in page
        held.appeal.refresh_from_db()
        assert held.appeal.is_open

    def test_is_not_taken_once_the_lease_is_lost_and_keeps_the_words(self, desk, held):
        run_out(held)

        response = desk.post(at(held, "answer/"), answer(held))

        assert response.status_code == 409
        assert "The signs stand." in response.content.decode()
        held.appeal.refresh_from_db()
        assert held.appeal.is_open

    def test_is_not_taken_twice(self, desk, held):
        desk.post(at(held, "answer/"), answer(held))

        response = desk.post(at(held, "answer/"), answer(held, outcome="OVERTURNED"))

        assert response.status_code == 409
        assert "Nothing was done twice." in response.content.decode()


class TestLease:
    def test_is_kept_by_signs_of_life(self, desk, held):
        answer = desk.post(at(held, "alive/"))

        assert set(answer.json()) == {"left", "hard_left", "whole"}

    def test_says_when_it_is_over(self, desk, held):
        run_out(held)

        assert desk.post(at(held, "alive/")).status_code == 409

    def test_is_nearly_over_when_the_page_is_closed(self, desk, held):
        assert desk.post(at(held, "leave/")).status_code == 204

        held.refresh_from_db()
        assert held.expires_at <= timezone.now() + timedelta(seconds=30)

    def test_is_given_back(self, desk, held):
        page = desk.post(at(held, "back/"), follow=True).content.decode()

        held.refresh_from_db()
        assert held.ended_why == "RELEASED"
        assert "You gave it back." in page
