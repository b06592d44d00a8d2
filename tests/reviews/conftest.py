"""A reviewer at the desk."""

import pytest
from django.test import Client

from moderation.models import User
from reviews.models import Policy
from tests.factories import PolicyFactory
from tests.reviews.signin import let_in


@pytest.fixture
def desk(client: Client, reviewer: User) -> Client:
    let_in(client, reviewer)
    return client


@pytest.fixture
def policy(db: None) -> Policy:
    return PolicyFactory(slug="ncii.shared")
