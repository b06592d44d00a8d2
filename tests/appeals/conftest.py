"""Somebody with a link, and a reviewer who holds an appeal."""

import pytest
from django.test import Client

from appeals.models import AppealClaim
from reviews.models import AppealGrant
from tests.appeals.factories import AppealClaimFactory, GrantFactory
from tests.appeals.visits import RAW, link
from tests.reviews.signin import let_in


@pytest.fixture
def desk(client: Client, reviewer) -> Client:
    let_in(client, reviewer)
    return client


@pytest.fixture
def held(reviewer) -> AppealClaim:
    AppealClaimFactory()  # somebody else's
    return AppealClaimFactory(reviewer=reviewer)


@pytest.fixture
def grant() -> AppealGrant:
    GrantFactory()  # somebody else's
    return GrantFactory(raw=RAW)


@pytest.fixture
def inside(client: Client, grant: AppealGrant) -> Client:
    client.post(link())
    return client
