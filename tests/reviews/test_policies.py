"""The policy tree comes as versions; a decision keeps the one that it cited."""

import json
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from moderation.models import AuditEntry
from reviews.models import Policy
from reviews.services import REASONS, load_policies
from reviews.services.policies import PUBLIC_WORDS
from tests.factories import NOW, DecisionFactory, PolicyFactory

pytestmark = pytest.mark.django_db
RULES = json.loads(Path("reviews/data/policies.json").read_text("utf-8"))


class TestLoadPolicies:
    def test_publishes_the_whole_tree_once(self) -> None:
        assert (load_policies(NOW), load_policies(NOW)) == (len(RULES), 0)

        assert Policy.objects.count() == len(RULES) == 17
        assert (
            AuditEntry.objects.filter(text__contains="policy.published").count() == 17
        )

    def test_publishes_a_change_as_a_new_version(self) -> None:
        load_policies(NOW)
        old = Policy.objects.get(slug="ncii.shared")
        Policy.objects.filter(pk=old.pk).update(guidance="older guidance")
        decision = DecisionFactory(policy=old)

        assert load_policies(NOW) == 1

        new = Policy.objects.current().get(slug="ncii.shared")
        assert (new.version, new.published_at) == (2, NOW)
        decision.refresh_from_db()
        assert decision.policy.version == 1
        assert not decision.policy.is_current

    def test_offers_only_what_one_person_may_decide(self) -> None:
        load_policies(NOW)

        slugs = set(Policy.objects.decidable().values_list("slug", flat=True))

        assert "stop.minor" not in slugs
        assert "unsure.second" not in slugs
        assert {"ncii.shared", "none.not_intimate"} <= slugs

    def test_closes_accounts_by_default_for_the_gravest_only(self) -> None:
        load_policies(NOW)

        for policy in Policy.objects.decidable():
            if policy.closes_account:
                assert policy.removes
                assert policy.severity == "critical"


def test_the_database_keeps_one_current_version() -> None:
    load_policies(NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyFactory(slug="ncii.shared", version=9)


def test_every_rule_has_its_public_words_and_its_reason() -> None:
    assert {rule["slug"] for rule in RULES} == set(PUBLIC_WORDS)
    decidable = {rule["slug"] for rule in RULES if rule["outcome"] != "PASSES_ON"}
    assert decidable == set(REASONS)
