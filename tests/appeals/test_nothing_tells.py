"""No page or notice of an appeal tells what the reader did not know: who asked, what matched, who reviewed (T-16)."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from appeals.models import Appeal
from appeals.services import claim_next_appeal, decide_appeal, lodge
from moderation.models import Detection, Flag, Notice
from tests.appeals.factories import GrantFactory
from tests.appeals.letters import read
from tests.factories import (
    NOW,
    BankedHashFactory,
    DecisionFactory,
    EnforcementFactory,
    FlagFactory,
    HashBankFactory,
    MatchFactory,
    UserFactory,
)
from tests.reviews.signin import let_in

pytestmark = pytest.mark.django_db

RAW = "p" * 43
SOURCE = "5ource00000000000000000000000000"
CASE = "7Q2X-KD4M-PLAN-TED9"
# Larger than any number that a date or a count puts on a page.
DISTANCE, THRESHOLD = 1373, 1393
PLANTED = (
    SOURCE,
    CASE,
    str(DISTANCE),
    str(THRESHOLD),
    "planted-bank",
    "Planted bank",
    "planted-model",
    "planted-label",
    "planted-user",
    "Planted Pseudonym",
    "planted@staff.example",
    "planted-private-note",
    "planted-account-id",
)


def staff(number: int):
    return UserFactory(
        username=f"planted-user{number}",
        pseudonym=f"Planted Pseudonym {number}",
        email="planted@staff.example",
        first_name="planted-user",
    )


def poison(flag: Flag, decider, approver) -> None:
    """Everything that a careless template could print, hung onto the content."""
    bank = HashBankFactory(slug="planted-bank", name="Planted bank")
    banked = BankedHashFactory(bank=bank, source_ref=SOURCE)
    MatchFactory(
        content=flag.content,
        banked_hash=banked,
        distance=DISTANCE,
        threshold=THRESHOLD,
    )
    Detection.objects.create(
        content=flag.content,
        model="planted-model",
        version="1",
        label="planted-label",
        score=0.5,
        detected_at=NOW,
    )
    EnforcementFactory(content=flag.content, action="HOLD", cause_ref=SOURCE)
    for action, approved in (("REMOVE", {}), ("DISABLE_ACCOUNT", {"by": approver})):
        EnforcementFactory(
            content=flag.content,
            action=action,
            cause_ref=flag.decision.public_id,
            ordered_by=decider,
            approved_by=approved.get("by"),
            approved_at=NOW if approved else None,
        )


@pytest.fixture
def grant():
    decider, approver = staff(1), staff(2)
    decision = DecisionFactory(
        reviewer=decider,
        private_notes=f"planted-private-note {CASE}",
        flag=FlagFactory(
            source=Flag.Source.HASH_MATCH,
            resolved_at=NOW,
            priority_parts=[{"part": "planted-label", "points": 60}],
            content__account__external_id="planted-account-id",
        ),
    )
    poison(decision.flag, decider, approver)
    return GrantFactory(raw=RAW, decision=decision)


def visible(response) -> str:
    return strip_tags(response.content.decode())


def public_pages(client: Client) -> list[str]:
    """Every page of the appeals face in the state that the appeal is in."""
    asked = [client.get(f"/again/{RAW}/"), client.post(f"/again/{'x' * 43}/")]
    client.post(f"/again/{RAW}/")
    asked += [client.get(f"/again/{name}/") for name in ("decision", "why", "status")]
    asked += [client.post("/again/why/", {}), client.get("/again/")]
    return [response.content.decode() for response in asked]


class TestEveryPageAndNotice:
    @pytest.mark.parametrize("outcome", Appeal.Outcome.values)
    @pytest.mark.parametrize("language", ["en", "es", "ur"])
    def test_holds_no_planted_value(self, client, grant, outcome, language):
        account = grant.decision.flag.content.account
        account.language = language
        account.save()
        texts = public_pages(client)
        lodge(grant=grant, ground="OTHER", words="", language=language, now=NOW)
        texts += public_pages(client)
        second = staff(3)
        claim = claim_next_appeal(reviewer=second, now=timezone.now())
        texts += public_pages(client)
        decide_appeal(
            claim_token=claim.token,
            reviewer=second,
            outcome=Appeal.Outcome(outcome),
            reasoning="We looked again.",
            now=NOW + timedelta(days=1),
        )
        texts += public_pages(client)
        texts += ["\n".join(read(notice)) for notice in Notice.objects.all()]

        assert len(texts) == 30
        told = [word for word in PLANTED for text in texts if word in text]
        assert told == []

    def test_of_the_desk_holds_none_either(self, client, grant):
        lodge(grant=grant, ground="OTHER", words="", language="en", now=NOW)
        let_in(client, staff(3))
        item = client.post("/staff/appeals/next/").headers["Location"]
        token = re.search(
            r'name="claim_token" value="(\w+)"', client.get(item).content.decode()
        )[1]

        answer = {"claim_token": token, "outcome": "UPHELD", "reasoning": "Stands."}
        pages = [
            client.get("/staff/appeals/"),
            client.get(item),
            client.post(f"{item}answer/", {"claim_token": token}),
            client.post(f"{item}answer/", answer, follow=True),
            client.post(f"{item}answer/", answer),
        ]

        assert [page.status_code for page in pages] == [200, 200, 422, 200, 409]
        told = [word for word in PLANTED for page in pages if word in visible(page)]
        assert told == []


def test_a_fingerprint_and_a_classifier_read_alike(client, grant):
    client.post(f"/again/{RAW}/")
    by_match = visible(client.get("/again/decision/"))

    content = grant.decision.flag.content
    content.matches.all().delete()
    content.enforcements.filter(action="HOLD").delete()
    Flag.objects.update(source=Flag.Source.DETECTION)

    assert visible(client.get("/again/decision/")) == by_match
