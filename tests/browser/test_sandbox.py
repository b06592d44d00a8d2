"""A stand-in's page in a real browser: published, refused, hostile words, small and large, in both directions."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from moderation.models import Content, Platform
from moderation.models.partners import Scope
from moderation.platforms import Target
from moderation.platforms.sandbox import Sandbox
from tests.moderation.api.conftest import make_key

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = [
    "<script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "\"'><svg/onload=document.title='taken'>",
    "</p></li></ul></main><h1>Sign in again</h1>",
    "{{ request.user }}{% csrf_token %}${7*7}",
    "javascript:document.title='taken'",
    "</title><base href=//example.org><meta http-equiv=refresh content=0;//example.org>",
    "<style>*{display:none}</style><link rel=stylesheet href=//example.org/x>",
    "<form action=//example.org><input name=q autofocus onfocus=alert(1)>",
    "\u202egnp.exe\u2066 \u200f",
    "%0d%0aSet-Cookie:x=1 &#x3c;b&#x3e; &lt;i&gt;",
    "https://example.org/again/" + "r" * 43 + "/",
    "W" * 300,
]


@pytest.fixture
def stand_in(tmp_path: Path, settings: Any, live_server: Any) -> Sandbox:
    """A stand-in that reaches the API of this very server, with a post in every state."""
    settings.API_URL = settings.APPEALS_URL = live_server.url
    settings.PLATFORMS = {
        alias: {
            "ADAPTER": "moderation.platforms.sandbox.Sandbox",
            "OPTIONS": {"alias": alias, "folder": str(tmp_path)},
        }
        for alias in ("facebook", "instagram")
    }
    stand_in = Sandbox(alias="facebook", folder=str(tmp_path))
    platform = Platform.objects.create(
        alias="facebook", name="Facebook", created_at=timezone.now()
    )
    stand_in.set_key(make_key(platform, Scope.CONTENT_WRITE)[1])
    return stand_in


@pytest.fixture
def lived_in(stand_in: Sandbox, pictures: Path, settings: Any) -> Sandbox:
    def post(name: str, account: str, caption: str) -> Target:
        data = (pictures / name).read_bytes()
        made = stand_in.publish(
            account_id=account, picture=data, caption=caption, now=timezone.now()
        )
        return Target(account, made.id)

    stand_in.hold(post("chelsea.png", "kim", "My cat"), "k1")
    stand_in.remove(post("coffee.png", "ana", "Monday"), "k2")
    stand_in.delete_post(post("rocket.jpg", "lee", "Lift-off").content_id)
    post("rocket.jpg", "lee", "Lift-off, again")
    stand_in.disable_account(Target("ana", "x"), "k3")
    stand_in.notify(
        "ana",
        "Your post was removed",
        "Your post was removed because it breaks a rule.\n\n"
        f"You can ask us to look again: {settings.APPEALS_URL}/again/{'r' * 43}/\n",
        "k4",
    )
    return stand_in


@pytest.fixture
def address(live_server: Any) -> str:
    return f"{live_server.url}/sandbox/facebook/"


def wrongs_of(page: Page, base: str) -> list[str]:
    """Whatever a page does that none may do: other hosts, dialogs, refused code."""
    wrongs: list[str] = []
    page.on("dialog", lambda dialog: (wrongs.append("dialog"), dialog.dismiss()))
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on(
        "console",
        lambda line: line.type in ("error", "warning") and wrongs.append(line.text),
    )
    page.on(
        "request",
        lambda request: request.url.startswith(base) or wrongs.append(request.url),
    )
    return wrongs


class TestPublishing:
    def test_shows_the_picture_and_sends_it(
        self, stand_in: Sandbox, page: Page, address: str, pictures: Path
    ) -> None:
        page.goto(address)
        page.get_by_role("textbox", name="Account").fill("kim")
        page.get_by_label("Words with it").fill("My cat")
        page.locator("#picture").set_input_files(pictures / "chelsea.png")
        page.get_by_role("button", name="Publish").click()

        shown = page.get_by_role("img", name="The posted picture")
        expect(shown).to_have_count(1)
        assert shown.evaluate("image => image.naturalWidth") == 451
        assert Content.objects.get().external_id == stand_in.posts()[0].id

    def test_of_a_copy_makes_another_post(
        self, lived_in: Sandbox, page: Page, address: str
    ) -> None:
        page.goto(address)
        page.get_by_role("button", name="Post a re-saved copy").first.click()

        expect(page.get_by_role("img", name="The posted picture")).to_have_count(2)

    def test_leads_to_the_appeal_from_the_accounts_message(
        self, lived_in: Sandbox, page: Page, address: str
    ) -> None:
        page.goto(address)
        page.get_by_text("1 message").click()

        link = page.get_by_role("link", name="/again/")
        expect(link).to_be_visible()
        assert link.get_attribute(
            "href"
        ) == f"{address.split('/sandbox')[0]}/again/" + ("r" * 43 + "/")


class TestHostileWords:
    def test_stay_words(
        self, stand_in: Sandbox, page: Page, address: str, pictures: Path
    ) -> None:
        data = (pictures / "coffee.png").read_bytes()
        for number, words in enumerate(HOSTILE):
            stand_in.publish(
                account_id="ana", picture=data, caption=words, now=timezone.now()
            )
            stand_in.notify("ana", words, words, f"k{number}")
            stand_in.hold(Target(words, words), f"h{number}")
        wrongs = wrongs_of(page, address.split("/sandbox")[0])

        page.goto(address)
        page.locator("summary").first.click()

        assert wrongs == []
        assert page.title() == "Stand-in for facebook"
        assert page.locator("h1").count() == 1
        assert page.locator("main a").count() == 0
        expect(page.get_by_text("[U+202E]gnp.exe[U+2066]").first).to_be_visible()
        assert narrow_enough(page)


class TestLooks:
    @pytest.mark.parametrize(
        ("width", "scheme", "language"), [(1280, "light", "en"), (320, "dark", "ur")]
    )
    def test_are_accessible_and_fit(
        self,
        lived_in: Sandbox,
        chromium: Browser,
        address: str,
        width: int,
        scheme: Any,
        language: str,
    ) -> None:
        lived_in.set_down(True)
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            locale=language,
        )
        page = context.new_page()
        page.goto(address)
        page.locator("summary").first.click()

        results = Axe().run(page)
        fits = narrow_enough(page)
        direction = page.locator("html").get_attribute("dir")
        context.close()

        assert results.violations_count == 0, results.generate_report()
        assert fits
        assert direction == ("rtl" if language == "ur" else "ltr")

    def test_of_a_refusal_lead_to_the_field(
        self, stand_in: Sandbox, page: Page, address: str, pictures: Path
    ) -> None:
        page.goto(address)
        page.get_by_role("textbox", name="Account").fill("not an id")
        page.locator("#picture").set_input_files(pictures / "coffee.png")
        page.get_by_role("button", name="Publish").click()

        field = page.get_by_role("textbox", name="Account")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#account-error")).to_be_visible()
        assert Axe().run(page).violations_count == 0


def narrow_enough(page: Page) -> bool:
    return bool(
        page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    )
