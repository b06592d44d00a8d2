"""Nobody gets past the door of the staff face without name, passphrase, second factor and the right role (T-38)."""

import base64
from collections.abc import Iterator

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from moderation.models import User
from moderation.storage import open_text
from reviews.models import Claim, Policy
from tests.factories import PASSPHRASE, FlagFactory, UserFactory
from tests.reviews.signin import code_now, enrol, let_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_moment")]
SAMPLES = {"<int:pk>": "1", "<str:link>": "x"}
WITHOUT_SIGN_IN = {"account_login", "mfa_authenticate", "livez", "readyz", "metrics"}
WITHOUT_SECOND_FACTOR = {
    "account_login",
    "account_logout",
    "account_reauthenticate",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_index",
    "livez",
    "readyz",
    "metrics",
}


@pytest.fixture
def one_moment() -> Iterator[None]:
    """A code must not change between reading and sending it."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


def routes(
    patterns: list[URLPattern | URLResolver], before: str = "/"
) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        elif "admin/" not in path:
            for part, sample in SAMPLES.items():
                path = path.replace(part, sample)
            yield path, str(pattern.name)


STAFF = sorted(routes(get_resolver("config.urls_staff").url_patterns))
DESKS = [
    row
    for row in STAFF
    if not row[1].startswith(("account_", "mfa_")) and row[0].startswith("/staff/")
]
ADMIN = [
    "/staff/admin/",
    "/staff/admin/reviews/policy/",
    "/staff/admin/moderation/user/",
]


@pytest.mark.parametrize(("path", "name"), STAFF)
def test_a_stranger_is_sent_to_sign_in(client: Client, path: str, name: str) -> None:
    if name in WITHOUT_SIGN_IN:
        return
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 302
        assert answer.url.startswith("/staff/login/")


@pytest.mark.parametrize(("path", "name"), STAFF)
def test_a_passphrase_alone_opens_nothing(client: Client, path: str, name: str) -> None:
    if name in WITHOUT_SECOND_FACTOR:
        return
    let_in(client, UserFactory(role=User.Role.LEAD), second_factor=False)

    for answer in (client.get(path), client.post(path)):
        assert (answer.status_code, answer.url) == (302, reverse("mfa_activate_totp"))


@pytest.mark.parametrize(("path", "name"), DESKS)
def test_an_auditor_may_do_nothing_but_count(
    client: Client, path: str, name: str
) -> None:
    let_in(client, UserFactory(role=User.Role.AUDITOR))
    FlagFactory()

    allowed = {200} if name == "queue" else set()
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code in {403, 404, 405} | allowed
    assert not Claim.objects.exists()


@pytest.mark.parametrize("path", ADMIN)
def test_the_admin_is_behind_the_same_door(client: Client, path: str) -> None:
    ended_at = client.get(path, follow=True).redirect_chain[-1][0]
    assert ended_at.startswith("/staff/login/")
    boss = UserFactory(role=User.Role.LEAD, is_staff=True, is_superuser=True)
    let_in(client, boss, second_factor=False)
    assert client.get(path).url == reverse("mfa_activate_totp")


def test_the_admin_shows_policies_and_changes_nothing(client: Client) -> None:
    let_in(client, UserFactory(is_staff=True, is_superuser=True))

    assert client.get("/staff/admin/reviews/policy/").status_code == 200
    assert client.get("/staff/admin/reviews/policy/add/").status_code == 403
    ours = {m for m in admin.site._registry if m._meta.app_label == "reviews"}
    assert ours == {Policy}
    assert set(apps.get_app_config("reviews").get_models()) > ours


class TestEnrolling:
    def test_is_the_first_thing_and_leads_to_the_desk(self, client: Client) -> None:
        user = UserFactory()
        client.post("/staff/login/", {"login": user.username, "password": PASSPHRASE})
        assert client.get("/staff/").url == reverse("mfa_activate_totp")
        again = client.get(reverse("mfa_activate_totp"), follow=True)
        page = client.post(
            again.redirect_chain[-1][0], {"password": PASSPHRASE}, follow=True
        )
        secret = page.context["form"].secret

        done = client.post(
            reverse("mfa_activate_totp"), {"code": code_now(secret)}, follow=True
        )
        shown = client.post(
            done.redirect_chain[-1][0], {"code": code_now(secret)}, follow=True
        )

        assert "Spare codes" in shown.text
        assert client.get("/staff/").status_code == 200

    def test_seals_the_secret(self) -> None:
        user = UserFactory()
        secret = enrol(user)

        row = Authenticator.objects.get(user=user)

        assert secret not in str(row.data)
        sealed = base64.b64decode(row.data["secret"])
        assert open_text(sealed, "second-factor") == secret

    def test_asks_a_session_that_began_before_for_a_code(self, client: Client) -> None:
        user = UserFactory()
        let_in(client, user, second_factor=False)
        enrol(user)

        for path in (
            "/staff/",
            reverse("mfa_view_recovery_codes"),
            reverse("mfa_deactivate_totp"),
        ):
            assert client.get(path).url.startswith(reverse("mfa_reauthenticate"))


def test_a_session_ends_after_a_working_day_however_busy(client: Client) -> None:
    let_in(client, UserFactory())
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        for _ in range(30):
            clock.shift(20 * 60)
            assert client.get("/staff/").status_code == 200
        clock.shift(60)

        assert client.post(reverse("reviews:claim")).url == reverse("account_login")
        assert client.get("/staff/").url.startswith(reverse("account_login"))


@pytest.mark.parametrize("name", ["account_login", "reviews:claim", "appeals:ground"])
def test_no_face_reads_more_than_a_short_form(client: Client, name: str) -> None:
    big = "x" * (64 * 1024)

    answer = client.post(reverse(name), {"words": big})

    assert answer.status_code == 413


def test_the_second_factor_of_another_person_counts_for_nobody(client: Client) -> None:
    session = let_in(client, UserFactory())
    session["account_authentication_methods_user"] = str(UserFactory().pk)
    session.save()

    assert client.get("/staff/").url == reverse("mfa_activate_totp")


class TestSigningIn:
    def test_takes_passphrase_and_code(self, client: Client) -> None:
        user = UserFactory()
        secret = enrol(user)

        first = client.post(
            "/staff/login/", {"login": user.username, "password": PASSPHRASE}
        )
        assert first.url == reverse("mfa_authenticate")
        assert client.get("/staff/").status_code == 302
        second = client.post(first.url, {"code": code_now(secret)})

        assert second.url == "/staff/"
        assert client.get("/staff/").status_code == 200

    def test_refuses_a_code_that_was_used(self, client: Client) -> None:
        user = UserFactory()
        code = code_now(enrol(user))
        for person in (client, Client()):
            person.post(
                "/staff/login/", {"login": user.username, "password": PASSPHRASE}
            )
            last = person.post(reverse("mfa_authenticate"), {"code": code})

        assert last.status_code == 200
        assert "/staff/" not in last.headers.get("Location", "")

    def test_says_the_same_for_an_unknown_name_and_a_wrong_passphrase(
        self, client: Client
    ) -> None:
        user = UserFactory()

        pages = [
            client.post(
                "/staff/login/",
                {"login": name, "password": "wrong horse battery staple"},
            )
            for name in (user.username, "nobody")
        ]

        errors = [page.context["form"].errors.as_text() for page in pages]
        assert errors[0] == errors[1] != ""

    def test_puts_no_name_into_a_message(self, client: Client) -> None:
        user = UserFactory(username="rowan-at-work")
        secret = enrol(user)
        client.post("/staff/login/", {"login": user.username, "password": PASSPHRASE})
        client.post(reverse("mfa_authenticate"), {"code": code_now(secret)})

        assert user.username not in str(client.cookies)
        assert user.username not in client.get("/staff/").text
