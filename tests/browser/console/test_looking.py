"""The picture is seen while something is held and not a moment longer, and every look is counted."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from moderation.models import Flag, User
from reviews.models import Reveal
from tests.browser.console.desk import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
def test_it_ends_when_attention_ends(item: Page, end: str) -> None:
    item.keyboard.down(" ")
    expect(look(item)).to_be_visible()

    item.evaluate(end)

    expect(look(item)).to_have_count(0)
    expect(item.locator("#stage-note")).to_have_text("Blurred.")


def test_it_lasts_as_long_as_the_button_is_held(item: Page) -> None:
    item.get_by_role("button", name="Hold to see it in grey").hover()

    item.mouse.down()
    expect(look(item)).to_be_visible()
    item.mouse.up()

    expect(look(item)).to_have_count(0)
    expect(item.locator("#exposure b")).to_have_text("1 of 120")


def test_a_hold_that_was_let_go_shows_nothing(item: Page) -> None:
    with item.expect_response("**/look/"):
        item.keyboard.press(" ")

    expect(look(item)).to_have_count(0)
    assert Reveal.objects.count() == 1  # what was asked for is counted


def test_three_seconds_need_no_holding(still_item: Page) -> None:
    still_item.get_by_role("button", name="See for 3 seconds").click()
    expect(look(still_item)).to_be_visible()
    still_item.clock.run_for(2900)
    expect(look(still_item)).to_be_visible()
    still_item.clock.run_for(200)

    expect(look(still_item)).to_have_count(0)


def test_colour_is_a_second_step(item: Page) -> None:
    colour = item.get_by_label("In colour, after grey")
    expect(colour).to_be_disabled()
    item.keyboard.down(" ")
    expect(look(item)).to_be_visible()
    item.keyboard.up(" ")

    colour.check()
    item.get_by_role("button", name="See for 3 seconds").click()

    expect(item.get_by_alt_text("Shown in colour.")).to_be_visible()
    seen = Reveal.objects.order_by("pk").values_list("derivative", flat=True)
    assert list(seen) == ["GREY", "COLOUR"]


def test_everything_can_be_covered_even_while_typing(item: Page) -> None:
    item.locator("#f-reasoning").focus()

    item.keyboard.press("Escape")
    item.keyboard.press("Escape")

    expect(item.locator("#blurred")).to_be_hidden()
    expect(item.locator("#stage-note")).to_have_text("Everything is covered.")


def test_the_day_ends(item: Page, rowan: User, flag: Flag) -> None:
    Reveal.objects.bulk_create(
        Reveal(
            reviewer=rowan,
            content=flag.content,
            derivative="GREY",
            revealed_at=timezone.now(),
        )
        for _ in range(120)
    )

    item.get_by_role("button", name="See for 3 seconds").click()

    said = "You have looked enough for today. Come back tomorrow."
    expect(item.locator("#stage-note")).to_have_text(said)


def test_a_picture_that_is_gone_is_said_to_be_gone(item: Page, flag: Flag) -> None:
    flag.content.evidence.shred(timezone.now())

    item.get_by_role("button", name="See for 3 seconds").click()

    said = "This picture can no longer be shown."
    expect(item.locator("#stage-note")).to_have_text(said)
