"""How allauth behaves here: nobody signs up, and a second factor's secret is sealed in the database."""

import base64

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from moderation.storage import open_text, seal_text


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        # allauth keys its limits by address and would store it; the staff face stands behind an allow-list.
        return "0.0.0.0"  # noqa: S104 (not a bind address)


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        return base64.b64encode(seal_text(text, "second-factor")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return open_text(base64.b64decode(encrypted_text), "second-factor")
