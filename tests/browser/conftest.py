"""A page of its own for every browser test, and the small site of `site.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import site as small_site


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def site() -> Iterator[small_site.Site]:
    with small_site.serve() as served:
        yield served


@pytest.fixture
def stranger() -> Iterator[small_site.Site]:
    """A site of somebody else, which must never hear anything."""
    with small_site.serve() as served:
        yield served
