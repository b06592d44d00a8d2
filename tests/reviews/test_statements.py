"""The statement of reasons says everything it must, and nothing that it must not know (T-16, T-41)."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from moderation.models import BankedHash, Flag, HashBank, User
from reviews.models import Policy
from reviews.pipeline.statements import PLACEHOLDERS
from reviews.services import (
    FACTS,
    REASONS,
    StatementIncomplete,
    closest_language,
    load_policies,
    statement_of_reasons,
)
from tests.factories import (
    NOW,
    AccountFactory,
    BankedHashFactory,
    ContentFactory,
    DecisionFactory,
    FlagFactory,
    HashBankFactory,
    MatchFactory,
    PolicyFactory,
    UserFactory,
)
from tests.reviews.factories import FACTS as SEEN
from tests.reviews.factories import REASONING

pytestmark = pytest.mark.django_db
LINK = "https://appeals.example/again/token/"


def worded(flag: Flag, **changes: object) -> str:
    said = letter(flag, **changes)
    return f"{said.subject}\n{said.body}"


def letter(flag: Flag, **changes: object):  # type: ignore[no-untyped-def]
    given: dict[str, object] = {
        "flag": flag,
        "policy": changes.pop("policy", None) or PolicyFactory.build(),
        "disables_account": True,
        "facts": SEEN,
        "reasoning": REASONING,
        "appeal_link": LINK,
        "now": NOW,
    }
    return statement_of_reasons(**{**given, **changes})


class TestStatementOfReasons:
    def test_reads_as_agreed(self) -> None:
        now = datetime(2026, 11, 25, 12, tzinfo=UTC)
        flag = FlagFactory(
            content__external_id="post-7",
            content__posted_at=now - timedelta(days=1),
            content__platform__name="Harbour",
        )

        assert worded(flag, now=now) == (
            "A decision about your post on Harbour\n"
            "The post was removed. Date: 25 November 2026. It concerns post-7, posted on 24 November 2026.\n"
            "Where it applies: everywhere. How long: without an end date.\n"
            "The rule: Intimate image shared without consent. "
            "You may not share an intimate image of a person who has not agreed.\n"
            "What we saw: The post contains an image that shows a person naked or partly naked.\n"
            "Why the rule applies: Sharing needs agreement, and it is missing here.\n"
            "The ground is the terms of the service.\n"
            "We acted after our own checks. It was found by automatic means. A person decided. "
            "A second person decides whether the account is closed because of this. "
            "If it is closed, this message and the way to disagree are about that too.\n"
            "Do not post the image again, and do not contact the person in it because of this message. "
            "If you still have it, delete it.\n"
            f"If you do not agree: {LINK}, free, until 27 May 2027. A different reviewer decides. "
            f"You can also choose a certified dispute body ({settings.DISPUTE_BODIES}) or go to court."
        )

    def test_reads_the_same_for_a_match_and_for_a_model(self) -> None:
        content = ContentFactory()
        match = FlagFactory.build(content=content, source=Flag.Source.HASH_MATCH)
        model = FlagFactory.build(content=content, source=Flag.Source.DETECTION)

        assert worded(match) == worded(model)

    def test_says_that_a_notice_came_and_not_from_whom(self) -> None:
        text = worded(FlagFactory(source=Flag.Source.REMOVAL_REQUEST))

        assert "We acted after a notice." in text
        assert "No automatic means were used." in text

    def test_says_that_the_account_is_left_alone(self) -> None:
        text = worded(FlagFactory(), disables_account=False)

        assert "This does not count against the account." in text
        assert "second person" not in text

    def test_keeps_a_reference_from_rearranging_the_sentence(self) -> None:
        flag = FlagFactory(content__external_id="a\u202eb\nc")

        assert "It concerns abc, posted" in worded(flag)

    def test_shows_braces_in_somebodys_words_as_braces(self) -> None:
        text = worded(FlagFactory(), facts="It says {appeal_link} and {nothing}.")

        assert "What we saw: It says {appeal_link} and {nothing}." in text

    @pytest.mark.parametrize("empty", ["facts", "reasoning", "appeal_link"])
    def test_is_refused_with_a_hole(self, empty: str) -> None:
        flag = FlagFactory()

        with pytest.raises(StatementIncomplete, match=empty):
            worded(flag, **{empty: "  \n "})

    def test_is_refused_without_the_words_of_the_policy(self) -> None:
        flag = FlagFactory()

        with pytest.raises(StatementIncomplete, match="policy_public_text"):
            worded(flag, policy=PolicyFactory.build(public_text=""))


def test_no_planted_value_appears() -> None:
    """Everything around the decision is poisoned; the letter must hold none of it."""
    poison = "PLANTED"
    bank = HashBankFactory(slug="planted", name=f"{poison} bank")
    banked = BankedHashFactory(
        bank=bank, source_ref=f"{poison}-source", standing=BankedHash.Standing.CONFIRMED
    )
    content = ContentFactory(
        account=AccountFactory(external_id=f"{poison}-account"),
        caption=f"{poison} caption",
        external_id="post-1",
    )
    MatchFactory(
        content=content, banked_hash=banked, distance=13, source_ref=banked.source_ref
    )
    reviewer: User = UserFactory(
        username=f"{poison}-user",
        pseudonym=f"{poison} pseudonym",
        email="planted@staff.example",
        first_name=poison,
    )
    flag = FlagFactory(
        content=content, priority_parts=[{"part": poison, "points": 1}], priority=13
    )
    DecisionFactory(flag=flag, reviewer=reviewer, private_notes=f"{poison} notes")
    policy = PolicyFactory(guidance=f"{poison} guidance", slug=f"{poison}.slug")

    text = worded(flag, policy=policy)

    assert "planted" not in text.casefold()
    assert not re.search(r"\b13\b", text)
    assert not re.search(r"\d{1,2}:\d{2}", text)  # no time finer than a day
    assert HashBank.objects.get().name not in text


class TestLanguages:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("es", "es"),
            ("es-MX", "es"),
            ("UR", "ur"),
            ("xx", "en"),
            ("", "en"),
            ("../etc", "en"),
        ],
    )
    def test_the_nearest_is_taken(self, asked: str, found: str) -> None:
        assert closest_language(asked) == found

    @pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
    def test_every_translation_can_be_sent(self, language: str) -> None:
        load_policies(NOW)
        account = AccountFactory(language=language)
        flag = FlagFactory(content__account=account)

        for policy in Policy.objects.decidable().filter(outcome="VIOLATES"):
            said = letter(flag, policy=policy)
            assert said.language == language
            assert LINK in said.body
            assert "{" not in said.body

    def test_the_page_s_language_does_not_decide(self) -> None:
        flag = FlagFactory()

        with translation.override("es"):
            assert worded(flag).startswith("A decision about your post on")


def test_the_ready_sentences_tell_nothing_about_how_it_was_found() -> None:
    for text in [*FACTS.values(), *REASONS.values()]:
        assert not re.search(
            r"fingerprint|distance|bank|request|case\b|reported", text
        ), text


def test_every_placeholder_of_the_letter_is_on_the_closed_list() -> None:
    source = Path("reviews/pipeline/statements.py").read_text("utf-8")
    used = set(
        re.findall(
            r"(?<!f\")\{([a-z_]+)\}",
            source.split("def _lines")[1].split("def _about")[0],
        )
    )

    assert used | {"service"} == PLACEHOLDERS
