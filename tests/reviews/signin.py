"""How tests get past the door of the staff face: as a person does, or with a session that has been through it."""

import time

from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client
from playwright.sync_api import Page

from moderation.models import User
from tests.factories import PASSPHRASE


def enrol(user: User, secret: str = "") -> str:
    """Give somebody an authenticator app, and the secret that it holds."""
    secret = secret or generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code_now(secret: str) -> str:
    *_, counter = yield_hotp_counters_from_time()
    return format_hotp_value(hotp_value(secret, counter))


def sign_in(
    page: Page,
    base_url: str,
    user: User,
    totp_secret: str,
    passphrase: str = PASSPHRASE,
) -> None:
    """Through the pages, to the queue. A code works once: sign nobody in twice within 30 seconds."""
    page.goto(f"{base_url}/staff/login/")
    page.get_by_label("Name").fill(user.username)
    page.get_by_label("Passphrase").fill(passphrase)
    page.get_by_role("button", name="Continue").click()
    give_code(page, totp_secret, "Sign in")
    page.wait_for_url(f"{base_url}/staff/")


def give_code(page: Page, totp_secret: str, button: str) -> None:
    """Twice if need be: the code may change between reading and sending it."""
    for _ in range(2):
        page.get_by_label("Code").fill(code_now(totp_secret))
        page.get_by_role("button", name=button).click()
        if not page.locator("#code-error").is_visible():
            return


def let_in(client: Client, user: User, *, second_factor: bool = True) -> SessionBase:
    """Sign a test client in without the pages."""
    client.force_login(user)
    session = client.session
    methods = ["password", "mfa"] if second_factor else ["password"]
    session["account_authentication_methods"] = [
        {"method": method, "at": time.time()} for method in methods
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return session


def carry_in(page: Page, base_url: str, user: User) -> None:
    """Sign a browser in without the pages."""
    session = let_in(Client(), user)
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": str(session.session_key),
                "url": base_url,
            }
        ]
    )
