"""The stand-ins' pages, and how they send: over real HTTP to the real API."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from moderation import views
from moderation.models import Content, Platform
from moderation.models.partners import Scope
from moderation.platforms import PlatformError, Target
from moderation.platforms.client import send
from moderation.platforms.resaved import resaved
from moderation.platforms.sandbox import Post, Sandbox
from tests.moderation.api.conftest import make_key

PAGE = "/sandbox/facebook/"


@pytest.fixture
def stand_in(tmp_path: Path, settings: Any) -> Sandbox:
    adapter = "moderation.platforms.sandbox.Sandbox"
    settings.PLATFORMS = {
        alias: {
            "ADAPTER": adapter,
            "OPTIONS": {"alias": alias, "folder": str(tmp_path)},
        }
        for alias in ("facebook", "instagram")
    }
    return Sandbox(alias="facebook", folder=str(tmp_path))


@pytest.fixture
def photo(pictures: Path) -> bytes:
    return (pictures / "coffee.png").read_bytes()


@pytest.fixture
def post(stand_in: Sandbox, photo: bytes) -> Post:
    return published(stand_in, photo)


@pytest.fixture
def hub(live_server: Any, settings: Any, stand_in: Sandbox) -> Sandbox:
    """A stand-in with a key, and the API it reaches."""
    settings.API_URL = live_server.url
    platform = Platform.objects.create(
        alias="facebook", name="Facebook", created_at=timezone.now()
    )
    stand_in.set_key(make_key(platform, Scope.CONTENT_WRITE)[1])
    return stand_in


def published(stand_in: Sandbox, photo: bytes, caption: str = "Monday") -> Post:
    return stand_in.publish(
        account_id="ana", picture=photo, caption=caption, now=timezone.now()
    )


def form(photo: bytes, **changes: Any) -> dict[str, Any]:
    picture = SimpleUploadedFile("holiday.png", photo)
    return {"account": "ana", "caption": "Monday", "picture": picture, **changes}


class TestThePage:
    def test_says_that_it_is_not_the_real_service(self, stand_in: Sandbox) -> None:
        page = Client().get(PAGE)

        assert page.status_code == 200
        assert b"It is not the real service" in page.content
        assert b'href="/sandbox/instagram/"' in page.content

    def test_shows_the_pictures_that_are_visible_and_no_other(
        self, stand_in: Sandbox, photo: bytes
    ) -> None:
        posts = [published(stand_in, photo) for _ in range(4)]
        stand_in.hold(Target("ana", posts[1].id), "k1")
        stand_in.remove(Target("ana", posts[2].id), "k2")
        stand_in.delete_post(posts[3].id)

        page = Client().get(PAGE).content.decode()
        pictures = [Client().get(picture_of(one)).status_code for one in posts]

        assert pictures == [200, 404, 404, 404]
        assert page.count("<img ") == 1
        for words in ("Hidden while it is checked", "Removed", "Deleted by"):
            assert words in page

    def test_serves_a_picture_as_what_it_is(self, post: Post) -> None:
        response = Client().get(picture_of(post))

        assert response["Content-Type"] == "image/png"
        assert response["X-Content-Type-Options"] == "nosniff"

    def test_serves_no_file_that_is_no_picture(self, stand_in: Sandbox) -> None:
        post = published(stand_in, b"<html><script>alert(1)</script>")

        assert Client().get(picture_of(post)).status_code == 404
        assert b"<img " not in Client().get(PAGE).content

    def test_shows_accounts_and_their_messages(self, stand_in: Sandbox) -> None:
        stand_in.notify("ana", "Your post was removed", "Line 1\nLine 2", "k1")
        stand_in.disable_account(Target("ana", "x"), "k2")

        page = Client().get(PAGE).content.decode()

        assert "Your post was removed" in page
        assert "Line 1\nLine 2" in page
        assert "Disabled" in page

    def test_makes_a_link_of_the_way_to_an_appeal_and_of_nothing_else(
        self, stand_in: Sandbox, settings: Any
    ) -> None:
        way = f"{settings.APPEALS_URL}/again/{'r' * 43}/"
        others = (
            f"https://evil.example/again/{'r' * 43}/ {settings.APPEALS_URL}/staff/"
            f" javascript:alert(1) {settings.APPEALS_URL}.evil.example/again/{'r' * 43}/"
        )
        stand_in.notify("ana", "s", f"Before {way} after. {others}", "k1")

        page = Client().get(PAGE).content.decode()

        letter = page[page.index('class="letter"') :]
        assert letter.count("<a ") == 1
        assert f'<a href="{way}" rel="noreferrer">{way}</a> after.' in letter

    @pytest.mark.parametrize("alias", ["nowhere", "webhook"])
    def test_is_only_there_for_stand_ins(
        self, stand_in: Sandbox, settings: Any, alias: str
    ) -> None:
        settings.PLATFORMS["webhook"] = {
            "ADAPTER": "moderation.platforms.webhook.Webhook",
            "OPTIONS": {
                "url": "https://hooks.example.org/",
                "secrets": ["whsec_" + "A" * 43 + "="],
            },
        }

        assert Client().get(f"/sandbox/{alias}/").status_code == 404

    def test_is_not_served_by_any_face_of_production(self, settings: Any) -> None:
        for face in ("hub", "appeals", "staff", "api"):
            settings.ROOT_URLCONF = f"config.urls_{face}"
            assert Client().get(PAGE).status_code == 404

    @pytest.mark.parametrize(
        "path", ["publish/", "switch/", "posts/1/repost/", "posts/1/send/"]
    )
    def test_does_nothing_without_a_form_of_its_own(
        self, post: Post, stand_in: Sandbox, path: str
    ) -> None:
        strict = Client(enforce_csrf_checks=True)

        assert strict.post(f"{PAGE}{path}").status_code == 403
        assert Client().get(f"{PAGE}{path}").status_code == 405
        assert len(stand_in.posts()) == 1
        assert not stand_in.is_down


@pytest.mark.django_db(transaction=True)
class TestPublishing:
    def test_shows_the_post_and_sends_it_to_the_hub(
        self, hub: Sandbox, photo: bytes
    ) -> None:
        response = Client().post(f"{PAGE}publish/", form(photo))

        (post,) = hub.posts()
        assert response.status_code == 302
        assert (post.account_id, post.caption, post.state) == (
            "ana",
            "Monday",
            "VISIBLE",
        )
        assert post.is_sent
        content = Content.objects.get()
        assert (content.external_id, content.caption) == (post.id, "Monday")
        assert content.posted_at == post.posted_at

    def test_posts_a_re_saved_copy(self, hub: Sandbox, photo: bytes) -> None:
        first = published(hub, photo)

        Client().post(f"{PAGE}posts/{first.number}/repost/")

        copy = hub.posts()[0]
        assert (copy.account_id, copy.caption) == ("ana", "Monday")
        assert hub.picture(copy).startswith(b"\xff\xd8\xff")
        assert Content.objects.get().external_id == copy.id

    def test_sends_again_what_was_not_sent(self, hub: Sandbox, photo: bytes) -> None:
        post = published(hub, photo)

        for _ in range(2):
            Client().post(f"{PAGE}posts/{post.number}/send/")

        assert [one.is_sent for one in hub.posts()] == [True]
        assert Content.objects.count() == 1

    def test_keeps_the_post_when_the_hub_does_not_answer(
        self, hub: Sandbox, photo: bytes, settings: Any
    ) -> None:
        settings.API_URL = "http://127.0.0.1:9"

        page = Client().post(f"{PAGE}publish/", form(photo), follow=True)

        assert b"The hub did not answer" in page.content
        assert [one.is_sent for one in hub.posts()] == [False]

    def test_carries_captions_of_any_script(self, hub: Sandbox, photo: bytes) -> None:
        words = 'نستعلیق "quoted"\r\n--boundary\r\n<b>é</b> 🙂'
        send(hub, published(hub, photo, words))

        assert Content.objects.get().caption == words

    def test_names_the_hubs_refusal(self, hub: Sandbox, photo: bytes) -> None:
        hub.set_key("hub_000000000000_wrong")

        with pytest.raises(PlatformError) as refused:
            send(hub, published(hub, photo))

        assert refused.value.code == "hub_authentication_failed"
        assert [one.is_sent for one in hub.posts()] == [False]


class TestRefusals:
    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("account", {"account": ""}),
            ("account", {"account": "a b"}),
            ("account", {"account": "x" * 51}),
            ("caption", {"caption": "x" * 501}),
            ("picture", {"picture": ""}),
            ("picture", {"picture": SimpleUploadedFile("x", b"")}),
        ],
        ids=str,
    )
    def test_of_the_form_name_the_field(
        self, stand_in: Sandbox, photo: bytes, field: str, changes: dict[str, Any]
    ) -> None:
        response = Client().post(f"{PAGE}publish/", form(photo, **changes))

        assert response.status_code == 422
        assert set(response.context["form"].errors) == {field}
        assert f'id="{field}-error"' in response.content.decode()
        assert stand_in.posts() == []

    def test_of_a_disabled_account_are_said(
        self, stand_in: Sandbox, photo: bytes
    ) -> None:
        stand_in.disable_account(Target("ana", "x"), "k1")

        page = Client().post(f"{PAGE}publish/", form(photo), follow=True)

        assert b"This account is disabled" in page.content
        assert stand_in.posts() == []

    def test_of_a_missing_key_are_said(self, stand_in: Sandbox, photo: bytes) -> None:
        page = Client().post(f"{PAGE}publish/", form(photo), follow=True)

        assert b"setup_demo" in page.content

    def test_of_a_copy_of_no_picture_are_said(self, stand_in: Sandbox) -> None:
        post = published(stand_in, b"text")

        page = Client().post(f"{PAGE}posts/{post.number}/repost/", follow=True)

        assert b"picture_not_an_image" in page.content
        assert len(stand_in.posts()) == 1

    def test_of_a_second_post_at_the_same_moment_are_said(
        self, stand_in: Sandbox, photo: bytes
    ) -> None:
        """Were it sent too, every thread of a small server might wait for an answer, and none give one."""
        stand_in.set_key("hub_key")
        with views._sending:
            page = Client().post(f"{PAGE}publish/", form(photo), follow=True)

        assert b"Another post is being sent just now" in page.content
        assert [one.is_sent for one in stand_in.posts()] == [False]


class TestTheSwitch:
    def test_takes_the_stand_in_down_and_up(self, stand_in: Sandbox) -> None:
        for is_down in (True, False):
            page = Client().post(f"{PAGE}switch/", follow=True)

            assert stand_in.is_down is is_down
            assert (b"it confirms no order. Orders wait" in page.content) is is_down


class TestResaved:
    def test_is_smaller_and_another_file(self, photo: bytes) -> None:
        again = resaved(photo)

        assert again.startswith(b"\xff\xd8\xff")
        assert len(again) < len(photo)
        assert resaved(photo) == again


def picture_of(post: Post) -> str:
    return f"{PAGE}posts/{post.number}/picture/"
