"""A pytest plugin, `-p tests.services.on_database`: only what depends on the services.

A second run, on PostgreSQL and Redis, repeats what touches the database and leaves out
what would only prove twice that arithmetic is arithmetic. Pages look and behave alike in
a browser whatever the database; one browser walks them all on PostgreSQL.
"""

import pytest

FIXTURES = {"db", "transactional_db", "live_server"}
SERVICES = {"postgres", "services"}


def depends_on_services(item: pytest.Item) -> bool:
    marks = {mark.name for mark in item.iter_markers()}
    if "browser" in marks:
        return bool(marks & SERVICES)
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & FIXTURES) or bool(marks & {"django_db", *SERVICES})


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    others = [item for item in items if not depends_on_services(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = filter(depends_on_services, items)
