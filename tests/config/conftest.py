"""Database roles as an installation has them, on the test database."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.services.roles import acting, granted, role_of


@pytest.fixture(scope="session")
def role_urls(
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """The DATABASE_URL of each face."""
    folder = tmp_path_factory.mktemp("urls")
    with (
        django_db_blocker.unblock(),
        granted(folder) as urls,
        django_db_blocker.block(),
    ):
        yield urls


@pytest.fixture
def face(
    role_urls: dict[str, str],
) -> Callable[[str], AbstractContextManager[None]]:
    """``with face("hub"): ...`` does what is inside with the rights of that face."""
    return lambda name: acting(role_of(role_urls[name]))
