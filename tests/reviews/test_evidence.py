"""What a finding is, in words: how near, what stands behind it, and whether it is no more than a question."""

import pytest
from django.test import Client

from moderation.models import Flag, User
from reviews.services import evidence
from tests.factories import NOW, BankedHashFactory, FlagFactory, MatchFactory
from tests.reviews.factories import at, held_by

pytestmark = pytest.mark.django_db


class TestEvidence:
    @pytest.mark.parametrize(
        ("match", "hash", "said"),
        [
            ({"distance": 4}, {}, ""),
            ({"distance": 4}, {"standing": "CONFIRMED"}, ""),
            (
                {"distance": 40, "threshold": 47, "only_review": True},
                {},
                "further away than a match",
            ),
            (
                {"signal_type": "phash", "threshold": 8, "only_review": True},
                {},
                "a rougher method",
            ),
            (
                {"signal_type": "vpdq", "threshold": 100, "only_review": True},
                {},
                "few frames",
            ),
            ({}, {"parked_why": "WIDELY_SEEN"}, "too many places"),
            ({}, {"parked_why": "GUARD"}, "nobody may ban"),
            ({}, {"demoted_at": NOW}, "found this fingerprint wrong"),
        ],
    )
    def test_says_why_a_finding_is_only_a_question(self, match, hash, said) -> None:
        found = MatchFactory(banked_hash=BankedHashFactory(**hash), **match)
        flag = FlagFactory(content=found.content, source=Flag.Source.HASH_MATCH)

        (seen,) = evidence(flag).matches

        assert said in seen.question
        assert bool(seen.question) == bool(said)
        assert seen.question.startswith("Only a question") == bool(said)

    def test_shows_it_on_the_page(self, desk: Client, reviewer: User) -> None:
        found = MatchFactory(
            signal_type="vpdq", distance=60, threshold=100, only_review=True
        )
        FlagFactory(
            content=found.content,
            source=Flag.Source.HASH_MATCH,
            priority_parts=[{"part": "similar", "points": 45}],
        )

        page = desk.get(at("item", held_by(reviewer).pk)).text

        assert "60 % of the frames are missing" in page
        assert "Only a question: few frames are the same." in page
        assert "Something like a banked fingerprint" in page
        assert "claimed" in page

    def test_says_that_a_fingerprint_was_withdrawn(self) -> None:
        found = MatchFactory()
        flag = FlagFactory(content=found.content, source=Flag.Source.HASH_MATCH)
        found.banked_hash.delete()

        (seen,) = evidence(flag).matches

        assert (str(seen.standing), seen.question) == ("withdrawn since", "")
