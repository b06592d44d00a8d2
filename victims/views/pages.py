"""Pages that ask for nothing: safety, languages, people who can help, and the way out."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from moderation.models import Platform
from victims import services

View = Callable[[HttpRequest], HttpResponse]


def page(name: str) -> View:
    """A page of words alone."""

    @login_not_required
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        return render(request, f"victims/{name}.html")

    return view


@login_not_required
@require_safe
def about(request: HttpRequest) -> HttpResponse:
    names = Platform.objects.filter(is_active=True).order_by("name")
    services_ = ", ".join(names.values_list("name", flat=True))
    return render(request, "victims/about.html", {"services": services_})


@login_not_required
@require_safe
def help_(request: HttpRequest) -> HttpResponse:
    return render(request, "victims/help.html", _support(request, minors=False))


@login_not_required
@require_safe
def other(request: HttpRequest) -> HttpResponse:
    """For people under 18: no field for files, nothing asked, nothing kept."""
    return render(request, "victims/other.html", _support(request, minors=True))


def _support(request: HttpRequest, *, minors: bool) -> dict[str, object]:
    language = get_language()
    chosen = request.GET.get("c", "")
    return {
        "support": services.support_for(
            chosen, language, today=timezone.now().date(), minors=minors
        ),
        "countries": services.countries(language),
    }


@login_not_required
@require_safe
def language(request: HttpRequest) -> HttpResponse:
    return render(request, "victims/language.html")


@login_not_required
@require_safe
def speak(request: HttpRequest, code: str) -> HttpResponse:
    """Choose a language for this visit: a cookie without a date, gone with the window."""
    if code not in dict(settings.LANGUAGES):
        raise Http404
    response = HttpResponseRedirect(_came_from(request))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Strict",
    )
    return response


def _came_from(request: HttpRequest) -> str:
    before = request.headers.get("Referer", "")
    start = reverse("victims:start")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}):
        return start
    parts = urlsplit(before)
    if parts.path == reverse("victims:language"):
        return start
    # One slash: a page that is not there may have been asked for as "//elsewhere", which would lead there.
    path = f"/{parts.path.lstrip('/')}"
    return f"{path}?{parts.query}" if parts.query else path


@login_not_required
@require_safe
def leave(request: HttpRequest) -> HttpResponse:
    """Out, at once: the session ends here and the browser is asked to forget."""
    request.session.flush()
    return way_out()


def way_out() -> HttpResponse:
    response = redirect(settings.EXIT_URL)
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    for name in (
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
        settings.LANGUAGE_COOKIE_NAME,
    ):
        response.delete_cookie(name, samesite="Strict")
    return response
