"""What the console's browser tests do again and again."""

from collections.abc import Callable
from datetime import timedelta

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from moderation.models import User
from reviews.models import Claim
from tests.factories import NOW
from tests.reviews.signin import carry_in


def watch(page: Page, base: str, wrongs: list[str]) -> None:
    """Write down what no page may do: ask other hosts, open dialogs, run refused code, fail."""
    page.on("dialog", lambda dialog: (wrongs.append("dialog"), dialog.dismiss()))
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on(
        "console",
        lambda said: (
            said.type in ("error", "warning")
            and "Failed to load resource" not in said.text
            and wrongs.append(said.text)
        ),
    )
    page.on(
        "request",
        lambda sent: (
            sent.url.startswith((base, "data:image/svg+xml")) or wrongs.append(sent.url)
        ),
    )


def take(page: Page, base: str, user: User) -> Claim:
    """Sign in, take the next one, and wait until its page listens."""
    carry_in(page, base, user)
    page.goto(f"{base}/staff/")
    page.get_by_role("button", name="Take the next one").click()
    expect(page.locator("#with-script")).to_be_visible()
    return Claim.objects.get(reviewer=user, ended_at__isnull=True)


def look(page: Page) -> Locator:
    return page.locator("img.look")


def stop_the_clock(page: Page) -> None:
    """From here on time passes in the page only when the test says so."""
    page.clock.install(time=NOW)
    page.clock.pause_at(NOW + timedelta(seconds=1))


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """A beacon is answered to nobody: ask the database until it has arrived."""
    for _ in range(400):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never happened")


def check(page: Page, name: str) -> None:
    """No violation that axe finds, and nothing wider than the window, from left to right or from right to left."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    for direction in ("rtl", "ltr"):
        wide = page.evaluate(
            "direction => { const root = document.documentElement; root.dir = direction;"
            "return root.scrollWidth - root.clientWidth }",
            direction,
        )
        assert wide <= 0, f"{name} is {wide} px too wide, {direction}"
