"""Every page of the console and of staff sign-in: small and large, light and dark, in both directions, with axe."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from moderation.models import Flag, User
from reviews.models import Claim, Policy
from tests.browser.console.desk import check, watch
from tests.factories import PASSPHRASE, DecisionFactory, EnforcementFactory
from tests.reviews.factories import held_by
from tests.reviews.signin import carry_in, enrol, give_code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, DESKTOP = {"width": 320, "height": 640}, {"width": 1280, "height": 800}


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
    own = page.get_by_label("In one sentence of your own")
    own.fill("A person is shown undressed.")
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


def changing(page: Page, base: str, path: str) -> None:
    page.goto(f"{base}/staff/factors/{path}")
    if page.get_by_label("Passphrase").is_visible():
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.get_by_role("button", name="Continue").click()


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


@pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"]
)
def test_every_page_is_for_everybody(
    chromium: Browser, base: str, flag: Flag, rowan: User, size: Any, scheme: Any
) -> None:
    context = chromium.new_context(viewport=size, color_scheme=scheme)
    page, wrongs = context.new_page(), []
    watch(page, base, wrongs)
    page.goto(f"{base}/staff/login/")
    check(page, "sign in")
    propose_a_closing()
    enrol(rowan)
    held_by(rowan)
    carry_in(page, base, rowan)

    for visit in PAGES:
        visit(page, base)
        check(page, visit.__name__)

    assert wrongs == []
    context.close()


def propose_a_closing() -> None:
    policy = Policy.objects.get(slug="ncii.shared")
    decision = DecisionFactory(policy=policy)
    EnforcementFactory(
        content=decision.flag.content,
        action="DISABLE_ACCOUNT",
        cause_ref=decision.public_id,
        ordered_by=decision.reviewer,
        needs_approval=True,
        work_state="HELD_BACK",
    )


def test_enrolling_is_for_everybody(watched: Page, base: str, rowan: User) -> None:
    page = watched
    page.goto(f"{base}/staff/login/")
    page.get_by_label("Name").fill(rowan.username)
    for _ in range(2):  # to sign in, and once more before the sign-in is changed
        page.get_by_label("Passphrase").fill(PASSPHRASE)
        page.get_by_role("button", name="Continue").click()
    check(page, "add a second factor")
    square = page.locator("img.qr")
    assert square.evaluate("async picture => (await picture.decode(), picture.width)")

    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Add it").click()
    check(page, "wrong code")
    secret = page.locator("bdi.code").inner_text()
    give_code(page, secret, "Add it")
    check(page, "the first code")
    give_code(page, secret, "Continue")

    expect(page.get_by_role("heading", name="Spare codes")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
