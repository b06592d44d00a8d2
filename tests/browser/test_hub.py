"""The hub as a person meets it: the whole way on a phone, by keyboard, without script, in both writing directions."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from moderation.models import BankedHash
from tests.browser.device import ROCKET, file
from tests.browser.visitor import Visitor
from tests.factories import HashBankFactory, PlatformFactory
from tests.victims.factories import PIN, open_case
from victims.models import Case

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STILL = [
    "/", "/leaving/", "/device/", "/about/", "/who/", "/language/", "/choose/", "/help/",
    "/help/?c=PK", "/other/?c=US", "/question/", "/before/", "/first/", "/without/",
    "/open/", "/lost/", "/quiet/", "/stopped/", "/nothing-here/",
]  # fmt: skip
# The narrowest phone in the dark, and a wide screen from right to left: between them every rule of the style sheets.
LOOKS = {
    "phone-dark": {
        "viewport": {"width": 320, "height": 600},
        "color_scheme": "dark",
    },
    "desk-urdu": {"viewport": {"width": 1280, "height": 800}, "language": "ur"},
}
FIELDS = "csrfmiddlewaretoken hash hash adult me no_consent kind pin words"


@pytest.fixture(autouse=True)
def installed() -> None:
    HashBankFactory()
    PlatformFactory()


@pytest.fixture
def visitor(page: Page, live_server: Any) -> Iterator[Visitor]:
    visitor = Visitor(page, live_server.url)
    yield visitor
    assert visitor.wrongs == []


@pytest.fixture
def scriptless(chromium: Browser, live_server: Any) -> Iterator[Visitor]:
    context = chromium.new_context(java_script_enabled=False)
    yield Visitor(context.new_page(), live_server.url)
    context.close()


class TestTheWholeWay:
    def test_from_a_picture_to_a_case_and_to_stop_and_delete(self, visitor, page):
        visitor.go("/")
        page.click("text=Yes, continue")
        page.click("text=I understand, continue")
        page.click("main .actions >> text=Continue")
        page.click("text=I want to protect images")
        assert page.locator("input[type=file]").count() == 0
        visitor.to_summary()
        expect(page.locator("#how-many")).to_have_text("2 fingerprints of images")
        sent_before = len(visitor.posts)
        visitor.submit()
        number = visitor.number()
        assert len(visitor.posts) == sent_before + 1

        names = [name for name, _ in visitor.fields()]
        assert sorted(names) == sorted(FIELDS.split())
        hashes = [value for name, value in visitor.fields() if name == "hash"]
        assert all(re.fullmatch(r"[0-9a-f]{64}:\d{2,3}:photo", one) for one in hashes)
        assert BankedHash.objects.count() == 2

        visitor.submit()
        visitor.at("/next/")
        visitor.enter(number)
        visitor.at("/ready/")
        visitor.submit()
        visitor.at("/now/")
        expect(page.locator(".tally")).to_contain_text("2")
        page.click("text=Stop and delete")
        page.fill("input[name=pin]", PIN)
        visitor.submit()
        visitor.at("/stopped/")
        assert not BankedHash.objects.exists()
        assert not Case.objects.get().is_open

    def test_sends_no_name_and_no_part_of_a_picture(self, visitor, page):
        visitor.to_images()
        page.set_input_files("#files", [file(ROCKET.read_bytes(), "me-and-sam.jpg")])
        expect(page.locator("#file-list li.done")).to_have_count(1)

        assert "me-and-sam" not in page.content()
        assert [request.url for request in visitor.posts] == [
            f"{visitor.base}/question/"
        ]

    def test_goes_back_a_step_without_losing_fingerprints(self, visitor, page):
        visitor.to_summary()
        page.go_back()
        visitor.step(4)
        page.click("#step-4 a:text('Back')")
        visitor.step(3)
        page.click("#step-3 a:text('Back')")
        visitor.step(2)

        expect(page.locator("#title")).to_have_text("2 fingerprints are ready")

    def test_sends_only_by_the_button_that_says_so(self, visitor, page):
        visitor.to_pin()
        before = len(visitor.posts)
        page.fill("input[name=pin]", PIN)
        page.keyboard.press("Enter")
        visitor.step(5)

        assert len(visitor.posts) == before
        visitor.submit()
        assert visitor.number()

    def test_asks_for_what_is_missing_before_going_on(self, visitor, page):
        visitor.to_images()
        page.set_input_files("#files", [ROCKET])
        page.click("#continue")
        page.click("#step-3 [data-forward]")
        expect(page.locator("#step-3 .error")).to_be_visible()
        visitor.step(3)
        for name in ("adult", "me", "no_consent"):
            page.check(f"input[name={name}]")
        page.click("#step-3 [data-forward]")
        page.fill("input[name=pin]", "a-b-c-d")
        page.click("#step-4 [data-forward]")
        expect(page.locator("#kind-own [data-error]")).to_be_visible()
        visitor.step(4)

    def test_skips_no_step_by_its_address(self, visitor, page):
        visitor.to_images()
        page.evaluate("location.hash = '#step-5'")
        visitor.step(2)
        page.reload()
        visitor.step(1)

    def test_asks_again_for_a_pin_that_others_could_guess(self, visitor, page):
        visitor.to_summary(pin="princess1990")
        visitor.submit()
        expect(page.locator(".error-summary")).to_contain_text("Others could guess")
        assert page.locator("input[type=file]").count() == 0
        visitor.check_looks()

        page.fill("input[name=pin]", PIN)
        visitor.submit()

        assert visitor.number()
        assert BankedHash.objects.count() == 2

    def test_opens_with_four_words_that_the_page_chose(self, visitor, page):
        visitor.to_pin()
        page.check("input[value=words]")
        expect(page.locator("input[name=pin]")).to_be_hidden()
        first = page.input_value("input[name=words]")
        page.click("#other-words")
        words = page.input_value("input[name=words]")
        assert words != first
        page.click("#step-4 [data-forward]")
        visitor.submit()
        number = visitor.number()

        visitor.enter(number, words.upper().replace(" ", "  "))

        visitor.at("/ready/")

    def test_under_18_leads_away_from_every_field_for_files(self, visitor, page):
        visitor.go("/question/")
        page.check("input[value=unsure]")
        visitor.submit()
        visitor.at("/other/")

        assert page.locator("input[type=file], #hasher").count() == 0
        visitor.go("/make/")
        visitor.at("/question/")


class TestCasePages:
    @pytest.fixture
    def inside(self, visitor: Visitor) -> Visitor:
        _, number = open_case()
        visitor.enter(number)
        visitor.at("/ready/")
        return visitor

    def test_warn_before_they_close(self, visitor, page):
        page.clock.install()
        _, number = open_case()
        visitor.enter(number)
        visitor.at("/ready/")
        page.wait_for_load_state("load")  # only then has the script begun to count
        expect(page.locator("#quiet")).to_be_hidden()
        page.clock.fast_forward("13:01")
        expect(page.locator("#quiet")).to_be_visible()
        with page.expect_navigation(wait_until="load"):
            page.click("#more-time")
        expect(page.locator("#quiet")).to_be_hidden()

        page.clock.fast_forward("15:01")

        visitor.at("/quiet/")

    def test_copy_the_number_and_print_nothing_else(self, visitor, page, context):
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        visitor.to_summary()
        visitor.submit()
        number = visitor.number()
        page.click("#copy")
        expect(page.locator("#copied")).to_contain_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == number.replace(
            "\n", " "
        )

        page.emulate_media(media="print")

        assert page.locator("body").inner_text().split() == number.split()

    def test_show_the_pin_only_when_asked(self, inside, page):
        inside.go("/stop/")
        page.fill("input[name=pin]", "abc")
        assert page.get_attribute("input[name=pin]", "type") == "password"
        page.check("[data-shows]")
        assert page.get_attribute("input[name=pin]", "type") == "text"
        page.uncheck("[data-shows]")
        assert page.get_attribute("input[name=pin]", "type") == "password"

    @pytest.mark.parametrize("way", ["link", "shift"])
    def test_are_gone_after_leaving(self, inside, page, settings, way):
        settings.EXIT_URL = f"{inside.base}/livez"
        if way == "link":
            page.click("#exit")
        else:
            for _ in range(3):
                page.keyboard.press("Shift")
        inside.at("/livez")

        inside.go("/ready/")

        inside.at("/open/")


class TestLooks:
    @pytest.mark.parametrize("look", LOOKS)
    def test_pages_have_no_barrier_and_fit(self, chromium, live_server, look):
        options = dict(LOOKS[look])
        language = options.pop("language", "en")
        context = chromium.new_context(**options)
        visitor = Visitor(context.new_page(), live_server.url)
        visitor.go(f"/language/{language}/")
        for path in STILL:
            visitor.go(path)
            direction = "rtl" if language == "ur" else "ltr"
            assert visitor.page.locator("html").get_attribute("dir") == direction
            visitor.check_looks()
        self.walk(visitor)
        context.close()
        assert visitor.wrongs == []

    def walk(self, visitor: Visitor) -> None:
        """The pages that only exist on the way."""
        page = visitor.page
        visitor.go("/question/")
        visitor.submit()
        visitor.check_looks()
        visitor.to_images()
        visitor.check_looks()
        page.set_input_files(
            "#files", [file(ROCKET.read_bytes()), file(b"not a picture")]
        )
        expect(page.locator("#continue")).to_be_visible()
        visitor.check_looks()
        page.click("#continue")
        page.click("#step-3 [data-forward]")
        visitor.check_looks()
        for name in ("adult", "me", "no_consent"):
            page.check(f"input[name={name}]")
        page.click("#step-3 [data-forward]")
        visitor.check_looks()
        page.fill("input[name=pin]", PIN)
        page.click("#step-4 [data-forward]")
        visitor.check_looks()
        visitor.submit()
        number = visitor.number()
        visitor.check_looks()
        visitor.submit()
        visitor.check_looks()
        visitor.enter(number, "not this one")
        visitor.check_looks()
        visitor.enter(number)
        visitor.at("/ready/")
        visitor.check_looks()
        visitor.submit()
        visitor.at("/now/")
        visitor.check_looks()
        visitor.go("/stop/")
        visitor.check_looks()

    def test_the_way_out_is_second_in_the_order_of_focus(self, visitor, page):
        visitor.go("/choose/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "exit"

    def test_the_bar_never_covers_what_has_focus(self, chromium, live_server):
        context = chromium.new_context(viewport={"width": 360, "height": 500})
        page = context.new_page()
        page.goto(f"{live_server.url}/help/?c=US")
        bar = page.locator(".bar").bounding_box()["height"]
        for _ in range(14):
            page.keyboard.press("Tab")
        for _ in range(10):
            page.keyboard.press("Shift+Tab")
            top = page.evaluate("document.activeElement.getBoundingClientRect().top")
            inside_bar = page.evaluate(
                "!!document.activeElement.closest('.bar, .skip')"
            )
            assert inside_bar or top >= bar
        context.close()


class TestWithoutScript:
    def test_says_so_and_offers_what_still_works(self, scriptless):
        scriptless.go("/question/")
        scriptless.page.check("input[value=no]")
        scriptless.submit()
        scriptless.at("/make/")

        assert "<noscript><p" in scriptless.page.content()
        assert scriptless.page.locator("input[type=file]:visible").count() == 0
        assert scriptless.page.locator("button:visible").count() == 0

    def test_opens_and_stops_a_case(self, scriptless):
        _, number = open_case()
        scriptless.enter(number)
        scriptless.submit()
        scriptless.at("/now/")
        scriptless.go("/stop/")
        scriptless.page.fill("input[name=pin]", PIN)
        scriptless.submit()

        scriptless.at("/stopped/")
        assert not Case.objects.get().is_open

    def test_leaves_by_the_plain_link(self, scriptless, settings):
        settings.EXIT_URL = f"{scriptless.base}/livez"
        scriptless.go("/help/")
        scriptless.page.click("#exit")

        scriptless.at("/livez")
