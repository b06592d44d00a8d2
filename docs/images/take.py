"""Take the README's pictures from a running installation; needs Chromium.

``EMBEDDED=1 python manage.py shell -c "from docs.images import take; take.main()"``
"""

import json
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from config import demo, walk
from config.stack import Stack, running
from moderation.platforms.sandbox import Sandbox
from tests.services import provide

HERE = Path(__file__).parent
PHONE: ViewportSize = {"width": 390, "height": 780}
DESK: ViewportSize = {"width": 1280, "height": 800}


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), SWEEP_SECONDS="1") as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=provide.chromium(), args=["--no-sandbox"]
        )
        public(browser, stack)
        console(browser, stack)
        browser.close()


def public(browser: Browser, stack: Stack) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(stack.url)
    page.screenshot(path=HERE / "hub.png")
    page.goto(f"{stack.url}/language/ur/")
    page.goto(stack.url)
    page.screenshot(path=HERE / "hub-ur.png")
    page.close()


def console(browser: Browser, stack: Stack) -> None:
    flagged(stack)
    page = browser.new_page(viewport=DESK)
    sign_in(page, stack, "rowan")
    page.get_by_role("button", name="Take the next one").click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=HERE / "console.png")
    page.get_by_role("radio", name=re.compile("^Intimate image shared")).check()
    page.get_by_label("In one sentence of your own").fill(
        "A person in an intimate setting."
    )
    page.get_by_label("Why the rule applies").fill("They did not agree to this post.")
    page.locator("#submit").click()
    page.wait_for_url(f"{stack.url}/staff/")
    appeal(browser, stack)


def flagged(stack: Stack) -> None:
    """A case, and a copy of its picture that is posted and found."""
    played = walk.Walk(stack, lambda text, seconds: None)
    played.protect()
    played.hold(played.post("kim", 0.6, 70))


def appeal(browser: Browser, stack: Stack) -> None:
    inbox = Sandbox(alias="facebook", folder=str(stack.logs / "sandbox"))
    link = walk.until(lambda: walk.appeal_link(inbox, "kim"), "the statement")
    page = browser.new_page(viewport=PHONE)
    page.goto(str(link))
    page.get_by_role("button", name="Show").click()
    page.screenshot(path=HERE / "appeal.png")


def sign_in(page: Page, stack: Stack, name: str) -> None:
    login = json.loads((stack.logs / "demo-logins.json").read_text())[name]
    page.goto(f"{stack.url}/staff/login/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Passphrase").fill(login["passphrase"])
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill(demo.code_for(login["secret"], datetime.now(UTC)))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{stack.url}/staff/")
