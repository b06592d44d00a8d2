"""A person's own case: its number, once; the way back in; stop and delete."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from victims import access, credentials, services
from victims.forms import HubForm, OpenForm, PlainForm, StopForm
from victims.models import Case

BACKUP_DAYS = 30


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def open_case(request: HttpRequest) -> HttpResponse:
    """The same page, status and work for an unknown number and for another PIN (T-05)."""
    if request.method != "POST":
        return render(request, "victims/open.html", {"form": OpenForm()})
    form, now = OpenForm(request.POST), timezone.now()
    form.full_clean()
    network = services.network_key(access.address_of(request), now)
    try:
        entered = services.enter(network=network, now=now, **form.cleaned_data)
    except services.AtTheDoor as refusal:
        misfit = (422, _misfit())
        return _refused(request, "victims/open.html", form, refusal, misfit=misfit)
    access.admit(request, entered.case, now, entered.failed_tries)
    return redirect("victims:ready")


def _refused(
    request: HttpRequest,
    template: str,
    form: HubForm,
    refusal: services.AtTheDoor,
    *,
    misfit: tuple[int, str],
    **context: object,
) -> HttpResponse:
    """Say why the door stays shut; ``Retry-After`` for machines, a sentence for people."""
    status, text = misfit
    match refusal:
        case services.TooManyFromNetwork():
            text, status = _from_network(refusal.minutes), 429
        case services.TryLater():
            text, status = _wait(refusal.minutes), 429
        case services.Busy():
            text, status = busy(), 503
    form.add_error("pin", text)
    response = render(request, template, {"form": form, **context}, status=status)
    if isinstance(refusal, services.TryLater):
        response["Retry-After"] = str(refusal.seconds)
    elif isinstance(refusal, services.Busy):
        response["Retry-After"] = "2"
    return response


def _misfit() -> str:
    return _(
        "This number and PIN do not fit together. Check both and try again. "
        "Letters may be large or small; O counts as 0, and I and L count as 1."
    )


def _wait(minutes: int) -> str:
    return ngettext(
        "Wait %(n)s minute before the next try. Your case is safe.",
        "Wait %(n)s minutes before the next try. Your case is safe.",
        minutes,
    ) % {"n": minutes}


def _from_network(minutes: int) -> str:
    return ngettext(
        "Many requests came from your network. Wait %(minutes)s minute and try again. The phone lines work now.",
        "Many requests came from your network. Wait %(minutes)s minutes and try again. The phone lines work now.",
        minutes,
    ) % {"minutes": minutes}


def busy() -> str:
    return _(
        "Something went wrong on our side. Nothing was sent. Try again, or use the phone lines."
    )


@login_not_required
@require_safe
@access.needs_case(keeps_number=True)
def number(request: HttpRequest, case: Case) -> HttpResponse:
    """The number, until the person says that it is kept."""
    kept = access.kept_number(request)
    if kept is None:
        return redirect("victims:ready")
    return render(request, "victims/number.html", {"groups": credentials.grouped(kept)})


@login_not_required
@require_POST
@access.needs_case()
def leave_number(request: HttpRequest, case: Case) -> HttpResponse:
    PlainForm(request.POST)
    return redirect("victims:next")


@login_not_required
@require_safe
@access.needs_case()
def next_steps(request: HttpRequest, case: Case) -> HttpResponse:
    return render(request, "victims/next.html")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@access.needs_case()
def ready(request: HttpRequest, case: Case) -> HttpResponse:
    """The cover: nothing about the topic until a tap."""
    if request.method == "POST":
        PlainForm(request.POST)
        access.uncover(request)
        return redirect("victims:now")
    return render(request, "victims/ready.html")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@access.needs_case()
def stop(request: HttpRequest, case: Case) -> HttpResponse:
    """Two taps and the PIN: whoever finds the page open cannot stop the case (T-07)."""
    if not case.is_open:
        return redirect("victims:now")
    context = {
        "hash_count": case.hashes.count(),
        "backup_days": BACKUP_DAYS,
    }
    if request.method != "POST":
        return render(request, "victims/stop.html", {"form": StopForm(), **context})
    form = StopForm(request.POST)
    form.full_clean()
    try:
        services.withdraw(case=case, now=timezone.now(), **form.cleaned_data)
    except services.AtTheDoor as refusal:
        misfit = (403, _("This PIN does not fit. Check it and try again."))
        return _refused(
            request, "victims/stop.html", form, refusal, misfit=misfit, **context
        )
    request.session.flush()
    return redirect("victims:stopped")
