"""Leaving the site at once, and what Back shows then."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(page: Page, site: Site) -> Page:
    page.goto(f"{site.address}/hasher.html")
    expect(page.locator("#choose")).to_be_visible()
    return page


def by_link(page: Page) -> None:
    page.click("#exit", no_wait_after=True)


def by_enter(page: Page) -> None:
    page.focus("#exit")
    page.keyboard.press("Enter")


def by_shift(page: Page) -> None:
    for _ in range(3):
        page.keyboard.press("Shift")


class TestLeaving:
    @pytest.mark.parametrize("leave", [by_link, by_enter, by_shift])
    def test_goes_elsewhere_and_back_shows_nothing(
        self,
        open_page: Page,
        site: Site,
        stranger: Site,
        leave: Callable[[Page], None],
    ) -> None:
        site.elsewhere = f"{stranger.address}/elsewhere"

        leave(open_page)

        open_page.wait_for_url(site.elsewhere)
        open_page.go_back()
        assert open_page.url == "about:blank"
        assert "referer" not in stranger.requests[0].headers.lower()

    def test_empties_the_page_in_the_same_moment(self, open_page: Page) -> None:
        open_page.route("**/leave/", lambda route: None)

        # The click answers within its own turn: no time passes in which to read.
        seen = open_page.evaluate(
            """() => {
                document.getElementById("exit").click();
                return [document.body.innerText, document.title];
            }"""
        )

        assert seen == ["Loading.", "Loading."]

    def test_says_how_many_presses_are_left(self, open_page: Page) -> None:
        speaker = open_page.locator("body > .sr[role=status]")

        open_page.keyboard.press("Shift")
        expect(speaker).to_have_text("Shift. Press 2 more times to leave.")
        open_page.keyboard.press("Shift")
        expect(speaker).to_have_text("Shift. Press 1 more time to leave.")

    def test_is_forgotten_after_five_seconds(self, page: Page, site: Site) -> None:
        page.clock.install()
        page.goto(f"{site.address}/hasher.html")
        for wait in (4_900, 5_100, 0):
            page.keyboard.press("Shift")
            page.clock.run_for(wait)

        speaker = page.locator("body > .sr[role=status]")
        expect(speaker).to_have_text("Shift. Press 2 more times to leave.")
        assert all(request.path != "/leave/" for request in site.requests)

    @pytest.mark.parametrize(
        "between",
        [
            lambda page: page.keyboard.press("Shift+A"),
            lambda page: page.keyboard.press("a"),
            lambda page: page.keyboard.press("Shift+Tab"),
            lambda page: page.click("h1", modifiers=["Shift"]),
        ],
        ids=["a capital letter", "a letter", "a step back", "a click"],
    )
    def test_is_not_meant_while_typing(
        self, open_page: Page, site: Site, between: Callable[[Page], None]
    ) -> None:
        for _ in range(2):
            open_page.keyboard.press("Shift")
        for _ in range(3):
            between(open_page)
        open_page.keyboard.press("Shift")

        speaker = open_page.locator("body > .sr[role=status]")
        expect(speaker).to_have_text("Shift. Press 2 more times to leave.")
        assert all(request.path != "/leave/" for request in site.requests)

    def test_is_a_plain_link_without_script(self, page: Page, site: Site) -> None:
        page.route("**/*.js", lambda route: route.abort())
        page.goto(f"{site.address}/hasher.html")

        page.click("#exit")

        page.wait_for_url("**/elsewhere")


class TestGoingBack:
    def test_asks_for_a_page_kept_in_memory_anew(
        self, open_page: Page, site: Site
    ) -> None:
        with open_page.expect_navigation():
            open_page.evaluate(
                "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
            )

        expect(open_page.locator("#choose")).to_be_visible()
        shown = [request for request in site.requests if request.path == "/hasher.html"]
        assert len(shown) == 2
