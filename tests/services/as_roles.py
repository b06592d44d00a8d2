"""On PostgreSQL each request that a test makes to a face runs as that face's database role.

So a page whose query needs a right that config/roles.py does not give fails here, and not in somebody's installation.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.db import Error, connection
from django.db.backends.base.creation import TEST_DATABASE_PREFIX
from django.http import HttpResponse
from django.test import Client

from tests.services.roles import acting, granted, role_of

_FACES = {
    "/api/": "api",
    "/exchange/": "api",
    "/staff/": "staff",
    "/again/": "appeals",
    "/metrics": "staff",
}
_OTHERS = "hub"
_OF_NO_FACE = "/sandbox/"


@pytest.fixture(scope="session", autouse=True)
def requests_run_as_their_face(
    request: pytest.FixtureRequest,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    if connection.vendor == "postgresql":
        request.getfixturevalue("django_db_setup")
    # Not made where no test needs it.
    if not str(connection.settings_dict["NAME"]).startswith(TEST_DATABASE_PREFIX):
        yield
        return
    with (
        django_db_blocker.unblock(),
        granted(tmp_path_factory.mktemp("roles")) as urls,
        pytest.MonkeyPatch.context() as patch,
    ):
        roles = {face: role_of(url) for face, url in urls.items()}
        with connection.cursor() as cursor:
            # Tests sign people in past the pages, as the owner.
            cursor.execute(
                f"CREATE POLICY anybody ON django_session TO {', '.join(roles.values())} USING (true)"
            )
        patch.setattr(Client, "request", _as_face(Client.request, roles))
        with django_db_blocker.block():
            yield


def _as_face(
    request: Callable[..., HttpResponse], roles: Mapping[str, str]
) -> Callable[..., HttpResponse]:
    def inner(client: Client, **about: Any) -> HttpResponse:
        path = about.get("PATH_INFO", "/")
        try:
            connection.ensure_connection()
        except (Error, RuntimeError):  # a test without the database, or about its loss
            return request(client, **about)
        if path.startswith(_OF_NO_FACE):
            return request(client, **about)
        found = (face for start, face in _FACES.items() if path.startswith(start))
        with acting(roles[next(found, _OTHERS)]):
            return request(client, **about)

    return inner
