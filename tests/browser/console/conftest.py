"""A flag with a picture, a reviewer, and the page of what they took."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from moderation.models import Flag, User
from reviews.services import load_policies
from tests.browser.console import desk
from tests.factories import FlagFactory, MatchFactory, UserFactory
from tests.reviews.factories import with_picture


@pytest.fixture
def base(live_server: Any) -> str:
    return str(live_server.url)


@pytest.fixture
def original(pictures: Path) -> bytes:
    return (pictures / "chelsea.png").read_bytes()


@pytest.fixture
def flag(transactional_db: None, original: bytes) -> Flag:
    load_policies(timezone.now())
    match = MatchFactory(distance=14)
    with_picture(match.content, original)
    return FlagFactory(
        content=match.content,
        source=Flag.Source.HASH_MATCH,
        raised_at=timezone.now() - timedelta(hours=1),
        due_at=timezone.now() + timedelta(hours=23),
    )


@pytest.fixture
def rowan(transactional_db: None) -> User:
    return UserFactory(username="rowan", pseudonym="Rowan")


@pytest.fixture
def watched(page: Page, base: str) -> Iterator[Page]:
    """A page that fails the test if it does what no page may do."""
    wrongs: list[str] = []
    desk.watch(page, base, wrongs)
    yield page
    assert wrongs == []
    assert page.title() != "taken"


@pytest.fixture
def item(watched: Page, base: str, flag: Flag, rowan: User) -> Page:
    """The page of the flag that Rowan has just taken."""
    desk.take(watched, base, rowan)
    return watched


@pytest.fixture
def still_item(watched: Page, base: str, flag: Flag, rowan: User) -> Page:
    """The same, in a page whose clock stands still."""
    desk.stop_the_clock(watched)
    desk.take(watched, base, rowan)
    return watched
