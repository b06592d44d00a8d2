"""What holds for every request: a log line without the visitor, headers without traces, the hub's narrow door."""

import time
import uuid
from collections.abc import Callable

import structlog
from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from csp.constants import SELF
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode

Handler = Callable[[HttpRequest], HttpResponse]
_log = structlog.get_logger(__name__)

# Faces by the namespace of the matched route, so that one development process behaves like four.
_STAFF_SPACES = {"reviews", "appeals_desk", "admin"}
_HUB_SPACES = {"victims"}
# These have limits of their own (moderation.http, config.uploads).
_SPACES_WITH_LIMITS = {"api", "exchange", "sandbox"}
# The hub takes short forms only: a picture cannot be sent even by a page that was tampered with (T-01).
BODY_LIMIT = 64 * 1024
# However busy somebody is, they sign in anew after a working day; 30 quiet minutes end a session before that.
LONGEST_STAFF_SESSION = 10 * 3600


class RequestLog:
    """One line a request: route name, status, duration. No address, agent, referrer, path or query (T-47)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=uuid.uuid4().hex)
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.view_name if match else "none"
        # Who leaves in a hurry is not recorded, as the page about traces promises.
        if route not in ("livez", "readyz", "victims:leave"):
            _log.info(
                "request",
                route=route,
                method=request.method,
                status=response.status_code,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )
        return response


class FaceHeaders:
    """Nothing is kept by browsers or proxies, nothing is framed or indexed, and each face gets just what it needs."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        response.headers["Permissions-Policy"] = (
            "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"
        )
        return response


class ContentPolicyByFace:
    """The console may fetch from itself, and sign-in may show a QR code; the public faces may fetch nothing.

    Stands inside CSPMiddleware: it only marks the response, the policy is written there.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        spaces = set(match.namespaces) if match else set()
        name = match.url_name if match else None
        update: dict[str, list[str]] = {}
        if spaces & _STAFF_SPACES:
            # Replaced, not added to: a source beside 'none' makes every browser complain.
            response._csp_replace = {"connect-src": [SELF]}  # type: ignore[attr-defined]
        elif name and name.startswith(("account_", "mfa_")):
            update = {"img-src": ["data:"]}
        elif spaces & _HUB_SPACES:
            update = {
                "require-trusted-types-for": ["'script'"],
                "trusted-types": ["hasher"],
            }
        if update and not hasattr(response, "_csp_replace"):
            response._csp_update = update  # type: ignore[attr-defined]
        return response


class BodyGate:
    """Nothing but short forms, before anything reads them; on the hub nothing but urlencoded ones.

    413 for more, 415 for another type. Otherwise anybody could have 50 MiB read into the memory of a public face.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        if request.method in ("GET", "HEAD") or match is None:
            return None
        spaces = set(match.namespaces)
        if spaces & _SPACES_WITH_LIMITS:
            return None
        plain = request.content_type == "application/x-www-form-urlencoded"
        if spaces & _HUB_SPACES and not plain:
            return render(request, "errors/415.html", status=415)
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = BODY_LIMIT + 1
        if length > BODY_LIMIT:
            return render(request, "errors/413.html", status=413)
        return None


class SecondFactorRequired:
    """Whoever is signed in without a second factor can do one thing: set one up (T-38)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        if not request.user.is_authenticated or match is None:
            return None
        if not getattr(view, "login_required", True):
            return None
        if _is_over(request):
            logout(request)
            return redirect(settings.LOGIN_URL)
        if match.url_name in _BEFORE_SECOND_FACTOR:
            return None
        if passed_second_factor(request):
            return None
        if is_mfa_enabled(request.user):
            # Set up after this session began: asked for once, before anything else opens.
            path = (
                request.path if request.method == "GET" else settings.LOGIN_REDIRECT_URL
            )
            query = urlencode({"next": resolve_url(path)})
            return redirect(f"{reverse('mfa_reauthenticate')}?{query}")
        return redirect("mfa_activate_totp")


def _is_over(request: HttpRequest) -> bool:
    """The first record of a session is its beginning; confirming again adds others."""
    records = get_authentication_records(request, request.user)
    began = min((record["at"] for record in records), default=0.0)
    return bool(records) and time.time() - began > LONGEST_STAFF_SESSION


_BEFORE_SECOND_FACTOR = {
    "account_login",
    "account_logout",
    "account_reauthenticate",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_index",
    "mfa_add_webauthn",
}


def passed_second_factor(request: HttpRequest) -> bool:
    """Whether this person opened or confirmed this very session with a second factor."""
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)
