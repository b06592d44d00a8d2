"""What every test may use: the people, the platform, and a database whose triggers survive a flush."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from moderation.models import Platform, User
from tests.browser.chromium import chromium
from tests.factories import PlatformFactory, UserFactory
from tests.services.as_roles import requests_run_as_their_face

__all__ = ["chromium", "requests_run_as_their_face"]

triggers = importlib.import_module("moderation.migrations.0002_audit_triggers")
PICTURES = Path(importlib.import_module("skimage").__file__).parent / "data"


@pytest.fixture(scope="session", autouse=True)
def _flush_can_empty_the_audit() -> Iterator[None]:
    """A transactional test ends with a flush, which the append-only triggers would refuse."""

    def emptied(name: str, *args: object, **options: object) -> object:
        if name != "flush":
            return call_command(name, *args, **options)
        triggers.drop(connection)
        try:
            return call_command(name, *args, **options)
        finally:
            triggers.create(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.test.testcases.call_command", emptied)
        yield


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
