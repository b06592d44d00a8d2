"""One person and their browser, on their way through the hub."""

from typing import Any
from urllib.parse import parse_qsl

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, expect

from tests.browser.device import COFFEE, ROCKET
from tests.victims.factories import PIN


class Visitor:
    """What the browser may never do is collected in ``wrongs``; whoever uses this asserts that there is none."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.wrongs: list[str] = []
        self.posts: list[Request] = []
        page.on("pageerror", lambda error: self.wrongs.append(str(error)))
        page.on("console", self._hear)
        page.on("request", self._see)

    def _hear(self, message: Any) -> None:
        # Chromium says this of each page that answers 422: of ours, which ask again.
        if message.type == "error" and "responded with a status" not in message.text:
            self.wrongs.append(message.text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.base, "blob:")):
            self.wrongs.append(f"asked {request.url}")
        if request.method != "GET":
            self.posts.append(request)

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def submit(self) -> None:
        self.page.locator("main button[type=submit]:visible").last.click()

    def at(self, path: str) -> None:
        expect(self.page).to_have_url(f"{self.base}{path}")

    def step(self, number: int) -> None:
        expect(self.page.locator(f"#step-{number}")).to_be_visible()
        assert self.page.locator("[data-step]:visible").count() == 1

    def to_images(self) -> None:
        self.go("/question/")
        self.page.check("input[value=no]")
        self.submit()
        self.at("/make/")
        self.page.click("a[href='#step-2']:visible")
        expect(self.page.locator("#choose")).to_be_visible()

    def to_pin(self) -> None:
        self.to_images()
        self.page.set_input_files("#files", [ROCKET, COFFEE])
        expect(self.page.locator("#file-list li.done")).to_have_count(2)
        self.page.click("#continue")
        self.step(3)
        for name in ("adult", "me", "no_consent"):
            self.page.check(f"input[name={name}]")
        self.page.click("#step-3 [data-forward]")
        self.step(4)

    def to_summary(self, pin: str = PIN) -> None:
        self.to_pin()
        self.page.fill("input[name=pin]", pin)
        self.page.click("#step-4 [data-forward]")
        self.step(5)

    def number(self) -> str:
        self.at("/number/")
        return self.page.locator("#number").inner_text()

    def enter(self, number: str, pin: str = PIN) -> None:
        self.go("/open/")
        self.page.fill("input[name=number]", number)
        self.page.fill("input[name=pin]", pin)
        self.submit()

    def fields(self) -> list[tuple[str, str]]:
        return parse_qsl(self.posts[-1].post_data or "", keep_blank_values=True)

    def check_looks(self) -> None:
        """No barrier that a machine can find, nothing that needs scrolling sideways."""
        self.page.wait_for_load_state()
        found = [
            (violation["id"], [node["html"][:120] for node in violation["nodes"]])
            for violation in Axe().run(self.page).response["violations"]
        ]
        assert found == [], self.page.url
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, self.page.url
