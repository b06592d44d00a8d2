"""What every test may use: the people, the platform, and a database whose triggers survive a flush."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from moderation.models import Platform, User
from tests.factories import PlatformFactory, UserFactory

triggers = importlib.import_module("moderation.migrations.0002_audit_triggers")
PICTURES = Path(importlib.import_module("skimage").__file__).parent / "data"


@pytest.fixture(autouse=True)
def _flush_can_empty_the_audit(request: pytest.FixtureRequest) -> Iterator[None]:
    """A transactional test ends with a flush, which the append-only triggers would refuse."""
    if "transactional_db" not in request.fixturenames and not _is_transactional(request):
        yield
        return
    # Set up before the database fixture, so that the finalizer runs after the flush has been replaced.
    original = call_command

    def emptied(name: str, *args: object, **options: object) -> object:
        if name != "flush":
            return original(name, *args, **options)
        triggers.drop(connection)
        try:
            return original(name, *args, **options)
        finally:
            triggers.create(connection)

    module = importlib.import_module("django.test.testcases")
    module.call_command = emptied
    yield
    # The flush happens in the database fixture's own teardown, which comes after this one: leave it in place.


def _is_transactional(request: pytest.FixtureRequest) -> bool:
    mark = request.node.get_closest_marker("django_db")
    return bool(mark and mark.kwargs.get("transaction"))


@pytest.fixture
def pictures() -> Path:
    """Benign pictures that an installed package ships."""
    return PICTURES


@pytest.fixture
def platform(db: None) -> Platform:
    return PlatformFactory()


@pytest.fixture
def reviewer(db: None) -> User:
    return UserFactory()


@pytest.fixture
def second_reviewer(db: None) -> User:
    return UserFactory()
