"""The console in a real browser: looking only while holding, deciding by keyboard, with and without script."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from moderation.models import Enforcement, Flag, User
from reviews.models import Claim, Decision, Policy, Reveal
from reviews.services import load_policies
from tests.factories import (
    NOW,
    PASSPHRASE,
    DecisionFactory,
    EnforcementFactory,
    FlagFactory,
    MatchFactory,
    UserFactory,
)
from tests.reviews.factories import held_by, with_picture
from tests.reviews.signin import carry_in, code_now, enrol, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = (
    "<script>document.title='taken'</script>"
    "<img src=x onerror=\"document.title='taken'\">"
    "\"'><svg/onload=document.title='taken'>"
    "{{ request.user }}{% csrf_token %}</blockquote></textarea></title>"
    "\u202egnp.exe\u2066 \u200f &#x3c;b&#x3e;"
)
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 800}


@pytest.fixture
def original(pictures: Path) -> bytes:
    return (pictures / "chelsea.png").read_bytes()


@pytest.fixture
def flag(transactional_db: None, original: bytes) -> Flag:
    load_policies(timezone.now())
    match = MatchFactory(distance=14)
    with_picture(match.content, original)
    return FlagFactory(
        content=match.content,
        source=Flag.Source.HASH_MATCH,
        raised_at=timezone.now() - timedelta(hours=1),
        due_at=timezone.now() + timedelta(hours=23),
    )


@pytest.fixture
def rowan(transactional_db: None) -> User:
    return UserFactory(username="rowan", pseudonym="Rowan")


@pytest.fixture
def base(live_server: Any) -> str:
    return str(live_server.url)


@pytest.fixture
def wrongs(page: Page, base: str) -> Iterator[list[str]]:
    """Whatever no page may do: other hosts, dialogs, refused code, errors."""
    seen: list[str] = []
    watch(page, base, seen)
    yield seen
    assert seen == []
    assert page.title() != "taken"


def watch(page: Page, base: str, seen: list[str]) -> None:
    page.on("dialog", lambda dialog: (seen.append("dialog"), dialog.dismiss()))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on(
        "console",
        lambda said: (
            said.type in ("error", "warning")
            and "Failed to load resource" not in said.text
            and seen.append(said.text)
        ),
    )
    page.on(
        "request",
        lambda sent: (
            sent.url.startswith((base, "data:image/svg+xml")) or seen.append(sent.url)
        ),
    )


def take(page: Page, base: str, user: User) -> Claim:
    """Sign in, take the next one, and wait until its page listens."""
    carry_in(page, base, user)
    page.goto(f"{base}/staff/")
    page.get_by_role("button", name="Take the next one").click()
    expect(page.locator("#with-script")).to_be_visible()
    return Claim.objects.get(reviewer=user, ended_at__isnull=True)


def stop_the_clock(page: Page) -> None:
    """From here on time passes in the page only when the test says so."""
    page.clock.install(time=NOW)
    page.clock.pause_at(NOW + timedelta(seconds=1))


def seen_picture(page: Page) -> Any:
    return page.locator("img.look")


class TestTheWalk:
    def test_by_keyboard_alone(
        self,
        page: Page,
        base: str,
        flag: Flag,
        rowan: User,
        original: bytes,
        wrongs: list[str],
    ) -> None:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url))
        sign_in(page, base, rowan, enrol(rowan))
        page.get_by_role("button", name="Take the next one").focus()
        with page.expect_response("**/picture/") as blurred:
            page.keyboard.press("Enter")
        expect(page.locator("#with-script")).to_be_visible()
        pictures = [blurred.value.body()]
        assert not any("/look/" in url or "/looks/" in url for url in sent)

        with page.expect_response("**/looks/**") as look:
            page.keyboard.down(" ")
        expect(seen_picture(page)).to_be_visible()
        pictures.append(look.value.body())
        page.keyboard.up(" ")
        expect(seen_picture(page)).to_have_count(0)

        page.keyboard.press("1")
        page.get_by_text("Ready sentences").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press(" ")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("The removal is on its way")).to_be_visible()

        decision = Decision.objects.get()
        assert decision.policy.slug == "ncii.shared"
        assert "naked or partly naked" in decision.facts
        assert decision.reasoning.startswith("The rule protects everyone's right")
        assert set(Enforcement.objects.values_list("action", "work_state")) == {
            ("REMOVE", "WAITING"),
            ("DISABLE_ACCOUNT", "HELD_BACK"),
        }
        assert Reveal.objects.get().served_at is not None
        assert original not in pictures
        assert look.value.headers["cache-control"] == "no-store"


class TestLooking:
    @pytest.mark.parametrize(
        "end",
        [
            "window.dispatchEvent(new Event('blur'))",
            "Object.defineProperty(document, 'hidden', {value: true});"
            "document.dispatchEvent(new Event('visibilitychange'))",
            "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))",
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'b', bubbles: true}))",
        ],
        ids=["another window", "another tab", "escape", "b"],
    )
    def test_ends_when_attention_ends(
        self,
        page: Page,
        base: str,
        flag: Flag,
        rowan: User,
        wrongs: list[str],
        end: str,
    ) -> None:
        take(page, base, rowan)
        page.keyboard.down(" ")
        expect(seen_picture(page)).to_be_visible()

        page.evaluate(end)

        expect(seen_picture(page)).to_have_count(0)
        expect(page.locator("#stage-note")).to_have_text("Blurred.")

    def test_lasts_as_long_as_the_button_is_held(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        take(page, base, rowan)
        page.get_by_role("button", name="Hold to see it in grey").hover()

        page.mouse.down()
        expect(seen_picture(page)).to_be_visible()
        page.mouse.up()

        expect(seen_picture(page)).to_have_count(0)
        expect(page.locator("#exposure b")).to_have_text("1 of 120")

    def test_is_not_begun_by_a_hold_that_was_let_go(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        take(page, base, rowan)

        with page.expect_response("**/look/"):
            page.keyboard.press(" ")

        expect(seen_picture(page)).to_have_count(0)
        assert Reveal.objects.count() == 1  # asked for is counted

    def test_for_three_seconds_needs_no_holding(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        stop_the_clock(page)
        take(page, base, rowan)

        page.get_by_role("button", name="See for 3 seconds").click()
        expect(seen_picture(page)).to_be_visible()
        page.clock.run_for(2900)
        expect(seen_picture(page)).to_be_visible()
        page.clock.run_for(200)

        expect(seen_picture(page)).to_have_count(0)

    def test_in_colour_is_a_second_step(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        take(page, base, rowan)
        colour = page.get_by_label("In colour, after grey")
        expect(colour).to_be_disabled()
        page.keyboard.down(" ")
        expect(seen_picture(page)).to_be_visible()
        page.keyboard.up(" ")

        colour.check()
        page.get_by_role("button", name="See for 3 seconds").click()

        expect(page.get_by_alt_text("Shown in colour.")).to_be_visible()
        assert list(
            Reveal.objects.order_by("pk").values_list("derivative", flat=True)
        ) == ["GREY", "COLOUR"]

    def test_can_be_covered_altogether(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        take(page, base, rowan)
        page.locator("#f-reasoning").focus()

        page.keyboard.press("Escape")
        page.keyboard.press("Escape")

        expect(page.locator("#blurred")).to_be_hidden()
        expect(page.locator("#stage-note")).to_have_text("Everything is covered.")

    def test_says_no_when_the_day_is_over(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        take(page, base, rowan)
        Reveal.objects.bulk_create(
            Reveal(
                reviewer=rowan,
                content=flag.content,
                derivative="GREY",
                revealed_at=timezone.now(),
            )
            for _ in range(120)
        )

        page.get_by_role("button", name="See for 3 seconds").click()

        expect(page.locator("#stage-note")).to_contain_text(
            "You have looked enough for today."
        )


class TestKeys:
    def test_do_nothing_while_somebody_types(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        take(page, base, rowan)

        page.locator("#f-reasoning").press_sequentially("b s 1 x ?")

        expect(page.locator("#f-reasoning")).to_have_value("b s 1 x ?")
        assert page.locator("[name=policy]:checked").count() == 0
        assert not Reveal.objects.exists()

    def test_can_be_switched_off(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        take(page, base, rowan)
        page.keyboard.press("?")
        page.get_by_label("Single keys work on this page").uncheck()
        page.locator("h2").first.click()

        page.keyboard.press("2")
        page.keyboard.press("s")

        assert page.locator("[name=policy]:checked").count() == 0
        expect(page.locator("#decide")).to_be_visible()

    def test_give_it_back(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        claim = take(page, base, rowan)

        page.keyboard.press("s")

        expect(page.get_by_text("You gave it back.")).to_be_visible()
        claim.refresh_from_db()
        assert claim.ended_why == "RELEASED"

    def test_never_replace_words_of_the_reviewer(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        take(page, base, rowan)
        page.locator("#f-reasoning").fill("My own words.")
        page.locator("h2").first.click()

        page.keyboard.press("3")

        expect(page.locator("[data-key='3']")).to_be_checked()
        expect(page.locator("#f-reasoning")).to_have_value("My own words.")


class TestTheLease:
    def test_is_kept_only_while_there_is_input(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        stop_the_clock(page)
        beats: list[str] = []
        page.on(
            "request", lambda sent: "/alive/" in sent.url and beats.append(sent.url)
        )
        take(page, base, rowan)
        with page.expect_response("**/alive/"):
            page.clock.run_for(1_000)

        page.clock.run_for(60_000)
        assert len(beats) == 1
        page.keyboard.press("Shift")
        with page.expect_response("**/alive/"):
            page.clock.run_for(20_000)

        assert len(beats) == 2

    def test_is_counted_down(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        stop_the_clock(page)
        take(page, base, rowan)
        with page.expect_response("**/alive/"):
            page.clock.run_for(1_000)
        expect(page.locator("#lease b")).to_have_text("3 min")

        page.clock.run_for(200_000)

        expect(page.locator("#lease b")).to_have_text("over")

    def test_is_let_go_when_the_page_closes(
        self, page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
    ) -> None:
        claim = take(page, base, rowan)

        page.goto(f"{base}/staff/")

        def left() -> timedelta:
            claim.refresh_from_db()
            return claim.expires_at - timezone.now()

        until(page, lambda: left() <= timedelta(seconds=30))


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """A beacon is answered to nobody: ask the database until it has arrived."""
    for _ in range(400):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never happened")


def test_hostile_words_stay_words(
    page: Page, base: str, flag: Flag, rowan: User, wrongs: list[str]
) -> None:
    flag.content.caption = HOSTILE
    flag.content.save(update_fields=["caption"])
    flag.content.account.external_id = HOSTILE[:190]
    flag.content.account.save(update_fields=["external_id"])
    take(page, base, rowan)

    expect(page.locator(".quote")).to_contain_text(
        "<script>document.title='taken'</script>"
    )
    expect(page.locator(".quote")).to_contain_text(
        "⟦U+202E⟧gnp.exe⟦U+2066⟧ ⟦U+200F⟧ &#x3c;b&#x3e;"
    )
    page.keyboard.press("1")
    page.locator("#f-facts").fill(HOSTILE.replace("@", ""))
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("The removal is on its way")).to_be_visible()
    carry_in(page, base, UserFactory())
    page.goto(f"{base}/staff/approvals/")
    expect(page.get_by_text("onerror=").first).to_be_visible()


def test_it_works_without_script(
    chromium: Browser, base: str, flag: Flag, rowan: User
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    carry_in(page, base, rowan)
    page.goto(f"{base}/staff/")
    page.get_by_role("button", name="Take the next one").click()
    page.get_by_label("Why the rule applies").fill("Agreement is missing.")
    with page.expect_response("**/looks/**") as look:
        page.get_by_role("button", name="See it once, in grey").click()
    assert look.value.status == 200
    expect(page.get_by_alt_text("The picture, shown once")).to_be_visible()

    expect(page.get_by_label("Why the rule applies")).to_have_value(
        "Agreement is missing."
    )
    page.get_by_label("Intimate image shared without consent").check()
    page.get_by_label("In one sentence of your own").fill(
        "A person is shown undressed."
    )
    page.get_by_role("button", name="Preview the message").click()
    expect(
        page.get_by_text("What we saw: A person is shown undressed.")
    ).to_be_visible()
    page.get_by_role("button", name="Decide").click()

    expect(page.get_by_text("The removal is on its way")).to_be_visible()
    assert Decision.objects.get().reviewer == rowan
    context.close()


def queue(page: Page, base: str) -> None:
    page.goto(f"{base}/staff/")


def item(page: Page, base: str) -> None:
    page.goto(f"{base}/staff/items/{Claim.objects.latest('pk').pk}/")
    expect(page.locator("#with-script")).to_be_visible()
    page.keyboard.press("?")


def item_with_errors(page: Page, base: str) -> None:
    item(page, base)
    page.get_by_role("button", name="Decide").click()
    expect(page.locator("#errors")).to_be_focused()


def item_with_preview(page: Page, base: str) -> None:
    item(page, base)
    page.get_by_label("Intimate image shared without consent").check()
    page.get_by_label("In one sentence of your own").fill(
        "A person is shown undressed."
    )
    page.get_by_role("button", name="Preview the message").click()
    expect(page.locator("#preview")).to_be_focused()


def item_too_late(page: Page, base: str) -> None:
    Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    page.goto(f"{base}/staff/items/{Claim.objects.latest('pk').pk}/")
    expect(page.get_by_role("alert")).to_be_visible()


def approvals(page: Page, base: str) -> None:
    page.goto(f"{base}/staff/approvals/")
    expect(page.get_by_role("button", name="Approve")).to_be_visible()


def factors(page: Page, base: str) -> None:
    page.goto(f"{base}/staff/factors/")


def sign_out(page: Page, base: str) -> None:
    page.goto(f"{base}/staff/logout/")


def changing(page: Page, base: str, path: str) -> None:
    page.goto(f"{base}/staff/factors/{path}")
    if page.get_by_label("Passphrase").is_visible():
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.get_by_role("button", name="Continue").click()


def passphrase_again(page: Page, base: str) -> None:
    page.goto(f"{base}/staff/confirm/")


def code_again(page: Page, base: str) -> None:
    page.goto(f"{base}/staff/code/confirm/")


def new_spare_codes(page: Page, base: str) -> None:
    changing(page, base, "spare/new/")


def spare_codes(page: Page, base: str) -> None:
    changing(page, base, "spare/new/")
    page.get_by_role("button", name="Make new ones").click()
    expect(page.get_by_role("heading", name="Spare codes")).to_be_visible()


def remove_app(page: Page, base: str) -> None:
    changing(page, base, "app/remove/")


PAGES: list[Callable[[Page, str], None]] = [
    queue,
    item,
    item_with_errors,
    item_with_preview,
    approvals,
    factors,
    passphrase_again,
    code_again,
    new_spare_codes,
    spare_codes,
    remove_app,
    sign_out,
    item_too_late,  # last: it ends the claim
]


def check(page: Page, name: str) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    for direction in ("rtl", "ltr"):
        wide = page.evaluate(
            "direction => { const root = document.documentElement; root.dir = direction;"
            "return root.scrollWidth - root.clientWidth }",
            direction,
        )
        assert wide <= 0, f"{name} is {wide} px too wide, {direction}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_accessible(
    chromium: Browser,
    base: str,
    flag: Flag,
    rowan: User,
    size: Any,
    scheme: Any,
) -> None:
    context: BrowserContext = chromium.new_context(viewport=size, color_scheme=scheme)
    page, seen = context.new_page(), []
    watch(page, base, seen)
    page.goto(f"{base}/staff/login/")
    check(page, "sign in")
    proposed = DecisionFactory(policy=Policy.objects.get(slug="ncii.shared"))
    EnforcementFactory(
        content=proposed.flag.content,
        action="DISABLE_ACCOUNT",
        cause_ref=proposed.public_id,
        ordered_by=proposed.reviewer,
        needs_approval=True,
        work_state="HELD_BACK",
    )
    enrol(rowan)
    held_by(rowan)
    carry_in(page, base, rowan)

    for visit in PAGES:
        visit(page, base)
        check(page, visit.__name__)
    assert seen == []
    context.close()


def test_enrolling_is_accessible(
    page: Page, base: str, rowan: User, wrongs: list[str]
) -> None:
    page.goto(f"{base}/staff/login/")
    page.get_by_label("Name").fill(rowan.username)
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Continue").click()
    check(page, "add a second factor")
    secret = page.locator("bdi.code").inner_text()
    expect(page.locator("img.qr")).to_have_js_property("complete", True)
    assert page.locator("img.qr").evaluate("picture => picture.naturalWidth") > 0

    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Add it").click()
    check(page, "wrong code")
    page.get_by_label("Code").fill(
        code_now(page.locator("bdi.code").inner_text() or secret)
    )
    page.get_by_role("button", name="Add it").click()
    check(page, "the first code")
    page.get_by_label("Code").fill(code_now(secret))
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", name="Spare codes")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
