"""The appeals face: somebody with a link, no account, no sign-in. Never the image, the other side, or who reported."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import get_supported_language_variant
from django.views.decorators.http import require_http_methods, require_safe

from appeals import access, services
from appeals.forms import MOST_CHARACTERS, GroundForm
from appeals.models import Appeal
from reviews.models import AppealGrant

GrantView = Callable[[HttpRequest, AppealGrant], HttpResponse]
_reads_or_posts = require_http_methods(["GET", "HEAD", "POST"])


@login_not_required
@_reads_or_posts
def link(request: HttpRequest, raw: str) -> HttpResponse:
    """A mail scanner that fetches the link sees a page that is the same for every token, and leaves no trace (T-51)."""
    if request.method != "POST":
        return render(request, "appeals/link.html")
    now = timezone.now()
    try:
        grant = access.grant_by_token(raw, now)
    except Http404:
        context = {"dispute_bodies": settings.DISPUTE_BODIES}
        return render(request, "appeals/link_refused.html", context, status=404)
    access.enter(request, grant, now)
    return redirect("appeals:decision")


@login_not_required
@require_safe
def closed(request: HttpRequest) -> HttpResponse:
    return render(request, "appeals/closed.html", status=404)


def entered(view: GrantView) -> Callable[[HttpRequest], HttpResponse]:
    """The view gets the grant that this browser opened, in the account's language unless another one was chosen."""

    @login_not_required
    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        try:
            grant = access.grant_for(request, timezone.now())
        except access.NotEntered:
            return render(request, "appeals/closed.html", status=404)
        with translation.override(_language(request, grant)):
            response = view(request, grant)
            response.headers["Content-Language"] = translation.get_language() or "en"
        return response

    return wrapped


@entered
@require_safe
def decision(request: HttpRequest, grant: AppealGrant) -> HttpResponse:
    return render(
        request,
        "appeals/decision.html",
        {
            "told": services.tell_decision(grant),
            "is_lodged": Appeal.objects.filter(grant=grant).exists(),
            "is_over": grant.expires_at <= timezone.now(),
            "dispute_bodies": settings.DISPUTE_BODIES,
        },
    )


@entered
@_reads_or_posts
def ground(request: HttpRequest, grant: AppealGrant) -> HttpResponse:
    form = GroundForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" and Appeal.objects.filter(grant=grant).exists():
        return redirect("appeals:status")
    if form.is_valid():
        try:
            services.lodge(
                grant=grant,
                language=translation.get_language() or "en",
                now=timezone.now(),
                **form.cleaned_data,
            )
        except services.AlreadyLodged as refusal:
            return _status(request, refusal.appeal, is_second=True)
        except services.AppealTooLate:
            return redirect("appeals:decision")
        return redirect("appeals:status")
    context = {
        "form": form,
        "told": services.tell_decision(grant),
        "most": MOST_CHARACTERS,
    }
    return render(
        request, "appeals/ground.html", context, status=422 if form.is_bound else 200
    )


@entered
@require_safe
def status(request: HttpRequest, grant: AppealGrant) -> HttpResponse:
    return _status(request, access.appeal_of(grant))


def _status(
    request: HttpRequest, appeal: Appeal, *, is_second: bool = False
) -> HttpResponse:
    context = {
        "told": services.tell_appeal(appeal),
        "is_second": is_second,
        "dispute_bodies": settings.DISPUTE_BODIES,
    }
    return render(
        request, "appeals/status.html", context, status=422 if is_second else 200
    )


def _language(request: HttpRequest, grant: AppealGrant) -> str:
    chosen = translation.get_language() or "en"
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return chosen
    try:
        return get_supported_language_variant(
            grant.decision.flag.content.account.language
        )
    except LookupError:
        return chosen
