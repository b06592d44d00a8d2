"""The walk a to e in a real browser on real processes: protect, post, find, remove, appeal, restore, withdraw."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from config.stack import Stack
from config.walk import resaved
from moderation.platforms import client
from moderation.platforms.sandbox import Sandbox
from tests.reviews.signin import give_code
from tests.walk.conftest import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.services]
PIN = "quiet harbour 77"


@pytest.fixture
def stand_in(stack: Stack) -> Sandbox:
    return Sandbox(alias="instagram", folder=str(stack.logs / "sandbox"))


@pytest.fixture
def people(chromium: Browser):
    """A browser of their own for everybody."""
    opened: list[BrowserContext] = []

    def person(**options: object) -> Page:
        context = chromium.new_context(**options)
        context.set_default_timeout(30_000)
        opened.append(context)
        return context.new_page()

    yield person
    for context in opened:
        context.close()


def state(stand_in: Sandbox, post_id: str) -> str:
    return next(post.state for post in stand_in.posts() if post.id == post_id)


def publish(stack: Stack, stand_in: Sandbox, account: str, data: bytes) -> str:
    post = stand_in.publish(
        account_id=account, picture=data, caption="look", now=datetime.now(UTC)
    )
    client.send(stand_in, post, stack.url)
    return post.id


def sign_in(page: Page, stack: Stack, name: str) -> None:
    login = json.loads((stack.logs / "demo-logins.json").read_text())[name]
    page.goto(f"{stack.url}/staff/login/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Passphrase").fill(login["passphrase"])
    page.get_by_role("button", name="Continue").click()
    give_code(page, login["secret"], "Sign in")
    page.wait_for_url(f"{stack.url}/staff/")


class TestTheWalk:
    def test_from_a_fingerprint_to_a_changed_decision(
        self, stack: Stack, stand_in: Sandbox, people, pictures: Path, tmp_path: Path
    ):
        original = (pictures / "astronaut.png").read_bytes()
        mine = tmp_path / "mine.png"
        mine.write_bytes(original)

        number = self._open_case(people(), stack, mine)
        post = publish(stack, stand_in, "walker", resaved(original, 0.7, 70))
        wait_until(lambda: state(stand_in, post) == "HELD", "the hold")

        self._decide(people(), stack)
        wait_until(lambda: state(stand_in, post) == "REMOVED", "the removal")
        assert stand_in.account("walker").state == "ACTIVE"
        self._approve(people(), stack)
        wait_until(
            lambda: stand_in.account("walker").state == "DISABLED", "the disabling"
        )

        self._appeal(people(locale="en"), stand_in)
        self._overturn(people(), stack)
        wait_until(lambda: state(stand_in, post) == "VISIBLE", "the restoration")
        wait_until(lambda: stand_in.account("walker").state == "ACTIVE", "the account")
        wait_until(
            lambda: (
                "Your appeal was decided"
                in [message.subject for message in stand_in.inbox("walker")]
            ),
            "the letter",
        )

        copy = publish(stack, stand_in, "other", resaved(original, 0.45, 50))
        wait_until(lambda: state(stand_in, copy) == "HELD", "the next copy's hold")
        self._withdraw(people(), stack, number)
        stack.manage("verify_audit")

    def _open_case(self, page: Page, stack: Stack, picture: Path) -> str:
        page.goto(stack.url)
        expect(page).to_have_title("Help and support")
        page.get_by_role("link", name="Yes, continue").click()
        page.get_by_role("link", name="I understand, continue").click()
        page.get_by_role("link", name="Continue", exact=True).click()
        page.get_by_role("link", name="I want to protect images").click()
        assert page.locator("input[type=file]").count() == 0
        page.get_by_label("No", exact=True).check()
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("link", name="Continue to choose images").click()
        page.locator("#files").set_input_files(picture)
        expect(page.locator("#file-list li.done")).to_have_count(1)
        page.locator("#continue").click()
        for box in page.locator("#step-3 input[type=checkbox]").all():
            box.check()
        page.locator("#step-3 [data-forward]").click()
        page.locator("#kind-own input[name=pin]").fill(PIN)
        page.locator("#step-4 [data-forward]").click()
        page.get_by_role("button", name="Send and open my case").click()
        page.wait_for_url("**/number/")
        number = "".join(page.locator("#number span").all_inner_texts())
        page.get_by_role("button", name="I have kept it, continue").click()
        return number

    def _decide(self, page: Page, stack: Stack) -> None:
        sign_in(page, stack, "rowan")
        page.get_by_role("button", name="Take the next one").click()
        expect(page.locator("#blurred")).to_be_visible()
        page.locator("#stage").click(position={"x": 5, "y": 5})
        page.keyboard.down("Space")
        look = page.locator("img.look")
        expect(look).to_be_visible()
        page.keyboard.up("Space")
        expect(look).to_have_count(0)
        page.get_by_role("radio", name=re.compile("^Intimate image shared")).check()
        page.get_by_label("In one sentence of your own").fill("A person, not dressed.")
        page.get_by_label("Why the rule applies").fill("They did not agree to this.")
        page.locator("#submit").click()
        page.wait_for_url(f"{stack.url}/staff/")

    def _approve(self, page: Page, stack: Stack) -> None:
        sign_in(page, stack, "noor")
        page.goto(f"{stack.url}/staff/approvals/")
        page.get_by_role("button", name="Approve").first.click()

    def _appeal(self, page: Page, stand_in: Sandbox) -> None:
        def link() -> str:
            bodies = [message.body for message in stand_in.inbox("walker")]
            found = re.search(r"https?://\S+/again/[^\s,]+", "\n".join(bodies))
            return found[0] if found else ""

        page.goto(str(wait_until(link, "the statement of reasons")))
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name="Ask us to look again").click()
        page.get_by_label("It is not an intimate image").check()
        page.get_by_label("In your words").fill("It is a portrait in a space suit.")
        page.get_by_role("button", name="Send my appeal").click()
        expect(page.get_by_role("heading", name="We have your appeal")).to_be_visible()

    def _overturn(self, page: Page, stack: Stack) -> None:
        sign_in(page, stack, "sage")
        page.goto(f"{stack.url}/staff/appeals/")
        page.get_by_role("button", name="Take the next one").click()
        page.get_by_role("radio", name=re.compile("The decision was changed")).check()
        page.get_by_label("In your own words").fill(
            "It shows a person in a space suit."
        )
        page.locator("#submit").click()
        page.wait_for_url(f"{stack.url}/staff/appeals/")

    def _withdraw(self, page: Page, stack: Stack, number: str) -> None:
        page.goto(f"{stack.url}/open/")
        page.get_by_label("Case number").fill(number)
        page.get_by_label("PIN", exact=True).fill(PIN)
        page.get_by_role("button", name="Open").click()
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name=re.compile("Stop and delete")).click()
        page.get_by_label("PIN", exact=True).fill(PIN)
        page.get_by_role("button", name="Stop and delete everything").click()
        expect(page.get_by_role("heading", name="Stopped and deleted")).to_be_visible()
