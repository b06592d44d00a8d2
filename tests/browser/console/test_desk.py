"""A reviewer's way through the desk: by keyboard, with the lease, without script, among hostile words."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from moderation.models import Enforcement, Flag, User
from reviews.models import Claim, Decision, Reveal
from tests.browser.console.desk import look, take, until
from tests.factories import UserFactory
from tests.reviews.signin import carry_in, enrol, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = (
    "<script>document.title='taken'</script>"
    "<img src=x onerror=\"document.title='taken'\">"
    "\"'><svg/onload=document.title='taken'>"
    "{{ request.user }}{% csrf_token %}</blockquote></textarea></title>"
    "\u202egnp.exe\u2066 \u200f &#x3c;b&#x3e;"
)


def test_the_whole_way_by_keyboard(
    watched: Page, base: str, flag: Flag, rowan: User, original: bytes
) -> None:
    page, sent = watched, []
    page.on("request", lambda request: sent.append(request.url))
    sign_in(page, base, rowan, enrol(rowan))
    page.get_by_role("button", name="Take the next one").focus()
    with page.expect_response("**/picture/") as blurred:
        page.keyboard.press("Enter")
    expect(page.locator("#with-script")).to_be_visible()
    pictures = [blurred.value.body()]
    assert not any("/look/" in url or "/looks/" in url for url in sent)

    with page.expect_response("**/looks/**") as seen:
        page.keyboard.down(" ")
    expect(look(page)).to_be_visible()
    pictures.append(seen.value.body())
    page.keyboard.up(" ")
    expect(look(page)).to_have_count(0)

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
    assert seen.value.headers["cache-control"] == "no-store"


class TestKeys:
    def test_do_nothing_while_somebody_types(self, item: Page) -> None:
        item.locator("#f-reasoning").press_sequentially("b s 1 x ?")

        expect(item.locator("#f-reasoning")).to_have_value("b s 1 x ?")
        assert item.locator("[name=policy]:checked").count() == 0
        assert not Reveal.objects.exists()

    def test_can_be_switched_off(self, item: Page) -> None:
        item.keyboard.press("?")
        item.get_by_label("Single keys work on this page").uncheck()
        item.locator("h2").first.click()

        item.keyboard.press("2")
        item.keyboard.press("s")

        assert item.locator("[name=policy]:checked").count() == 0
        expect(item.locator("#decide")).to_be_visible()

    def test_give_it_back(self, item: Page) -> None:
        item.keyboard.press("s")

        expect(item.get_by_text("You gave it back.")).to_be_visible()
        assert Claim.objects.get().ended_why == "RELEASED"

    def test_never_replace_words_of_the_reviewer(self, item: Page) -> None:
        item.locator("#f-reasoning").fill("My own words.")
        item.locator("h2").first.click()

        item.keyboard.press("3")

        expect(item.locator("[data-key='3']")).to_be_checked()
        expect(item.locator("#f-reasoning")).to_have_value("My own words.")


class TestTheLease:
    def test_is_kept_only_while_there_is_input(self, still_item: Page) -> None:
        beats: list[str] = []
        still_item.on(
            "request", lambda sent: "/alive/" in sent.url and beats.append(sent.url)
        )
        with still_item.expect_response("**/alive/"):
            still_item.clock.run_for(1_000)

        still_item.clock.run_for(60_000)
        assert len(beats) == 1
        still_item.keyboard.press("Shift")
        with still_item.expect_response("**/alive/"):
            still_item.clock.run_for(20_000)

        assert len(beats) == 2

    def test_is_counted_down(self, still_item: Page) -> None:
        with still_item.expect_response("**/alive/"):
            still_item.clock.run_for(1_000)
        expect(still_item.locator("#lease b")).to_have_text("3 min")

        still_item.clock.run_for(200_000)

        expect(still_item.locator("#lease b")).to_have_text("over")

    def test_is_let_go_when_the_page_closes(self, item: Page, base: str) -> None:
        claim = Claim.objects.get()
        item.goto(f"{base}/staff/")

        def left() -> timedelta:
            claim.refresh_from_db()
            return claim.expires_at - timezone.now()

        until(item, lambda: left() <= timedelta(seconds=30))


def test_hostile_words_stay_words(
    watched: Page, base: str, flag: Flag, rowan: User
) -> None:
    flag.content.caption = HOSTILE
    flag.content.save(update_fields=["caption"])
    flag.content.account.external_id = HOSTILE[:190]
    flag.content.account.save(update_fields=["external_id"])
    page = watched
    take(page, base, rowan)

    words = page.locator(".quote")
    expect(words).to_contain_text("<script>document.title='taken'</script>")
    expect(words).to_contain_text("⟦U+202E⟧gnp.exe⟦U+2066⟧ ⟦U+200F⟧ &#x3c;b&#x3e;")
    page.keyboard.press("1")
    page.locator("#f-facts").fill(HOSTILE)
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
    with page.expect_response("**/looks/**") as seen:
        page.get_by_role("button", name="See it once, in grey").click()
    assert seen.value.status == 200
    expect(page.get_by_alt_text("The picture, shown once")).to_be_visible()

    reasons = page.get_by_label("Why the rule applies")
    expect(reasons).to_have_value("Agreement is missing.")
    page.get_by_label("Intimate image shared without consent").check()
    own = page.get_by_label("In one sentence of your own")
    own.fill("A person is shown undressed.")
    page.get_by_role("button", name="Preview the message").click()
    letter = page.get_by_text("What we saw: A person is shown undressed.")
    expect(letter).to_be_visible()
    page.get_by_role("button", name="Decide").click()

    expect(page.get_by_text("The removal is on its way")).to_be_visible()
    assert Decision.objects.get().reviewer == rowan
    context.close()
