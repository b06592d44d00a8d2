"""A real Chromium for every browser test, and the small site of `site.py`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import site as small_site
from tests.services import provide

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = provide.chromium()
    assert path, "no Chromium: run `python -m tests.services.provide`"
    with sync_playwright() as playwright:
        # Playwright runs an event loop in this thread; Django would refuse the database.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


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
