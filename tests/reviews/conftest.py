"""A reviewer at the desk."""

import pytest
from django.test import Client

from moderation.models import HashBank, User
from reviews.models import Policy
from tests.factories import HashBankFactory, PolicyFactory
from tests.reviews.signin import let_in


@pytest.fixture
def desk(client: Client, reviewer: User) -> Client:
    let_in(client, reviewer)
    return client


@pytest.fixture
def policy(db: None) -> Policy:
    """And the bank for the copies that it has removed, which a new installation has too."""
    HashBankFactory(slug="confirmed", kind=HashBank.Kind.CONFIRMED)
    return PolicyFactory(slug="ncii.shared")


@pytest.fixture
def rule(db: None) -> Policy:
    return PolicyFactory(slug="ncii.shared", is_automatic=True)


@pytest.fixture
def keep(db: None) -> Policy:
    return PolicyFactory(
        slug="none.not_intimate", outcome=Policy.Outcome.KEEP, default_actions=[]
    )
