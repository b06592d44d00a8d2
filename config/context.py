"""What every template may say about this installation."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_info


def public(request: HttpRequest) -> dict[str, object]:
    return {
        "exit_url": settings.EXIT_URL,
        "hub_url": settings.HUB_URL,
        "reporting_body": settings.REPORTING_BODY,
        "safety_contact": settings.SAFETY_CONTACT,
        "embedded": settings.EMBEDDED,
        "site_languages": [get_language_info(code) for code, _ in settings.LANGUAGES],
    }
