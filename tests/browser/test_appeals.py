"""An appeal in a real browser: with and without script, small and large, in both directions, with hostile words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page

from appeals.models import Appeal
from appeals.services import words_of
from moderation.models import Evidence, Platform, User
from moderation.storage import seal_text, store_file
from reviews.models import AppealGrant, Decision, Reveal
from tests.appeals.factories import AppealFactory, GrantFactory
from tests.factories import DecisionFactory, EnforcementFactory, UserFactory
from tests.reviews.signin import carry_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RAW = "r" * 43
HOSTILE = (
    "<script>document.title='taken'</script>"
    "<img src=x onerror=\"document.title='taken'\">"
    "\"'><svg/onload=document.title='taken'>"
    "{{ request.user }}{% csrf_token %}"
    "javascript:document.title='taken'"
    "</textarea></title><base href=//example.org>"
    "\u202egnp.exe\u2066 \u200f"
    "%0d%0aSet-Cookie:x=1 &#x3c;b&#x3e;"
)


@pytest.fixture
def grant(pictures: Path) -> AppealGrant:
    decision = DecisionFactory()
    content = decision.flag.content
    EnforcementFactory(content=content, cause_ref=decision.public_id)
    sealed = store_file((pictures / "coffee.png").read_bytes())
    Evidence.objects.create(
        content=content,
        name=sealed.name,
        wrapped_key=sealed.wrapped_key,
        key_version=sealed.key_version,
        size=1,
        stored_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=9),
    )
    return GrantFactory(raw=RAW, decision=decision)


@pytest.fixture
def base(live_server: Any) -> str:
    return str(live_server.url)


@contextmanager
def watched(page: Page, base: str) -> Iterator[list[str]]:
    """Whatever a page does that none may do: other hosts, dialogs, refused code, errors."""
    wrongs: list[str] = []
    page.on("dialog", lambda dialog: (wrongs.append("dialog"), dialog.dismiss()))
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on(
        "console",
        lambda message: (
            message.type == "error"
            and "Failed to load resource" not in message.text
            and wrongs.append(message.text)
        ),
    )
    page.on(
        "request",
        lambda request: (
            request.url.startswith((base, "blob:")) or wrongs.append(request.url)
        ),
    )
    yield wrongs
    assert wrongs == []
    assert page.title() != "taken"


def enter(page: Page, base: str) -> None:
    page.goto(f"{base}/again/{RAW}/")
    page.locator("#open button").click()
    page.wait_for_url(f"{base}/again/decision/")


def fits(page: Page) -> bool:
    """On a small phone as on a desk: nothing is wider than the window."""
    before, wide = page.viewport_size, []
    for width in (320, 360, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        root = page.locator("html")
        wide.append(root.evaluate("root => root.scrollWidth > root.clientWidth"))
    if before:
        page.set_viewport_size(before)
    return not any(wide)


def states(page: Page, base: str) -> Iterator[str]:
    """Every page of the appeals face, one after another."""
    page.goto(f"{base}/again/{'x' * 43}/")
    yield "link"
    page.locator("#open button").click()
    page.get_by_role("heading", level=1).wait_for()
    yield "refused"
    enter(page, base)
    yield "decision"
    page.goto(f"{base}/again/why/")
    yield "why"
    page.locator("main [type=submit]").click()
    page.locator(".error-summary").wait_for()
    yield "why, 422"
    page.locator("[name=ground]").first.check()
    page.locator("main [type=submit]").click()
    page.wait_for_url(f"{base}/again/status/")
    yield "status"
    Appeal.objects.update(
        outcome="OVERTURNED",
        reasoning="We looked again.",
        decided_by=UserFactory(),
        decided_at=timezone.now(),
    )
    page.goto(f"{base}/again/status/")
    yield "decided"
    page.context.clear_cookies()
    page.goto(f"{base}/again/status/")
    yield "closed"


def desk_states(page: Page, base: str) -> Iterator[str]:
    page.goto(f"{base}/staff/appeals/")
    yield "queue"
    page.locator(".next-up button").click()
    page.wait_for_url("**/items/**")
    yield "item"
    page.locator("#submit").click()
    page.locator(".error-summary").wait_for()
    yield "item, 422"


SCREENS = [
    ({"width": 320, "height": 640}, "ur", "dark"),
    ({"width": 1280, "height": 800}, "en", "light"),
]


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []

    def new(size: dict[str, int], language: str, theme: str, **more: Any) -> Page:
        context = chromium.new_context(
            viewport=size, locale=language, color_scheme=theme, **more
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context.new_page()

    yield new
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("size", "language", "theme"), SCREENS)
def test_every_page_is_accessible_and_fits(
    opened: Callable[..., Page],
    base: str,
    grant: AppealGrant,
    reviewer: User,
    size: dict[str, int],
    language: str,
    theme: str,
) -> None:
    account = grant.decision.flag.content.account
    account.language = language
    account.save()
    page = opened(size, language, theme)
    found = []

    with watched(page, base):
        for name in states(page, base):
            found += violations(page, name)
        Appeal.objects.all().delete()
        AppealFactory(grant=grant)
        carry_in(page, base, reviewer)
        for name in desk_states(page, base):
            found += violations(page, name)

    assert found == []


def violations(page: Page, name: str) -> list[str]:
    found = [
        f"{name}: {wrong['id']} {wrong['nodes'][0]['html'][:120]}"
        for wrong in Axe().run(page).response["violations"]
    ]
    return found if fits(page) else [*found, f"{name}: wider than the screen"]


def test_works_without_script(
    opened: Callable[..., Page], base: str, grant: AppealGrant, reviewer: User
) -> None:
    page = opened(
        {"width": 360, "height": 740}, "en", "light", java_script_enabled=False
    )
    enter(page, base)
    page.get_by_role("link", name="Ask us to look again").click()
    page.get_by_label("In your words").fill("We agreed in writing.")
    page.get_by_role("button", name="Send my appeal").click()
    page.get_by_role("link", name="Choose one reason").click()
    page.get_by_label("The person in the image agreed").check()
    page.get_by_role("button", name="Send my appeal").click()

    assert page.url.split("#")[0] == f"{base}/again/status/"
    assert page.get_by_role("heading", name="We have your appeal").is_visible()
    appeal = Appeal.objects.get()
    assert words_of(appeal) == "We agreed in writing."

    carry_in(page, base, reviewer)
    page.goto(f"{base}/staff/appeals/")
    page.get_by_role("button", name="Take the next one").click()
    page.get_by_label("The decision was changed").check()
    page.get_by_role("button", name="See it once, in grey").click()
    assert page.locator("img.look").is_visible()
    assert page.get_by_label("The decision was changed").is_checked()
    page.get_by_label("The first decision rested on a mistake of ours.").check()
    page.get_by_role("button", name="Decide").click()

    appeal.refresh_from_db()
    assert appeal.outcome == Appeal.Outcome.OVERTURNED
    assert page.url == f"{base}/staff/appeals/"


def test_the_token_leaves_the_address_and_the_history(
    page: Page, base: str, grant: AppealGrant
) -> None:
    came_from = []
    page.on(
        "request",
        lambda request: (
            request.is_navigation_request()
            and came_from.append(request.headers.get("referer", ""))
        ),
    )
    page.goto(f"{base}/again/{RAW}/")
    page.wait_for_url(f"{base}/again/")

    page.locator("#open button").click()
    page.wait_for_url(f"{base}/again/decision/")

    page.go_back()
    assert RAW not in page.url
    assert page.evaluate("document.referrer").find(RAW) == -1
    assert came_from
    assert not [address for address in came_from if RAW in address]


def test_a_language_can_be_chosen_before_the_link_is_opened(
    page: Page, base: str, grant: AppealGrant
) -> None:
    page.goto(f"{base}/again/{RAW}/")

    page.get_by_role("button", name="اردو").click()
    assert page.locator("html").get_attribute("dir") == "rtl"
    page.locator("#open button").click()

    page.wait_for_url(f"{base}/again/decision/")
    assert page.locator("html").get_attribute("lang") == "ur"


def test_hostile_words_stay_words_everywhere(
    page: Page, base: str, grant: AppealGrant, reviewer: User
) -> None:
    decision = grant.decision
    content = decision.flag.content
    for row, fields in (
        (content, ["caption"]),
        (decision, ["facts", "reasoning"]),
        (decision.policy, ["public_text", "guidance"]),
    ):
        type(row).objects.filter(pk=row.pk).update(**dict.fromkeys(fields, HOSTILE))
    type(content).objects.filter(pk=content.pk).update(external_id=HOSTILE[:200])
    type(decision.policy).objects.update(title=HOSTILE[:120])
    Platform.objects.update(name=HOSTILE[:60])

    with watched(page, base):
        enter(page, base)
        assert page.get_by_text("<script>document.title").first.is_visible()
        page.goto(f"{base}/again/why/")
        page.locator("textarea").fill(HOSTILE)
        page.locator("main [type=submit]").click()
        page.locator(".error-summary").wait_for()
        assert page.locator("textarea").input_value() == HOSTILE
        page.locator("[name=ground]").last.check()
        page.locator("main [type=submit]").click()
        page.wait_for_url(f"{base}/again/status/")

        carry_in(page, base, reviewer)
        page.goto(f"{base}/staff/appeals/")
        page.locator(".next-up button").click()
        page.wait_for_url("**/items/**")
        assert page.get_by_text("⟦U+202E⟧gnp.exe⟦U+2066⟧").count() == 4
        page.locator("[name=outcome]").first.check()
        page.locator("#id_reasoning").fill(HOSTILE.replace("@", ""))
        page.locator("#submit").click()
        page.wait_for_url(f"{base}/staff/appeals/")

    assert Decision.objects.count() == 1
    assert Appeal.objects.get().outcome == "UPHELD"


def test_the_desk_shows_the_picture_only_while_it_is_held(
    page: Page, base: str, grant: AppealGrant, reviewer: User
) -> None:
    AppealFactory(grant=grant, words_sealed=seal_text("We agreed.", "appeal"))
    carry_in(page, base, reviewer)
    with watched(page, base):
        page.goto(f"{base}/staff/appeals/")
        page.locator(".next-up button").click()
        page.wait_for_url("**/items/**")
        assert not Reveal.objects.exists()

        page.locator("#hold").hover()
        page.mouse.down()
        page.locator("img.look").wait_for()
        page.mouse.up()
        page.locator("img.look").wait_for(state="detached")

        assert page.locator("#exposure b").inner_text() == "1 of 120"
        page.keyboard.press("2")
        page.get_by_label("The first decision rested on a mistake of ours.").check()
        page.keyboard.press("Control+Enter")
        page.wait_for_url(f"{base}/staff/appeals/")

    assert Reveal.objects.get().served_at is not None
    assert Appeal.objects.get().outcome == Appeal.Outcome.OVERTURNED
