"""From the age question to the fingerprints: the one place where something is sent."""

from functools import cache
from pathlib import Path

from babel import Locale
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from victims import access, credentials, services
from victims.forms import AgeForm, SendForm
from victims.views.case import busy

# Where each way leads once everybody was 18 or older: straight to the images, first to keeping proof, first to what
# to do about a threat.
_AFTER_AGE = {1: "victims:make", 2: "victims:before", 3: "victims:first"}
AT_A_TIME = 20
PHRASES = 8
WORKER_FILES = {"hasher-worker", "canary", "kinds", "pdq", "picture"}
# A worker does not inherit the page's policy: without one of its own it could send what it reads (T-01).
WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'none'"


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def age(request: HttpRequest) -> HttpResponse:
    """The question comes before any field for files exists; yes and unsure lead to help, and nothing is kept (T-10)."""
    if request.method != "POST":
        way = request.GET.get("way", "1")
        form = AgeForm(initial={"way": way if way in ("1", "2", "3") else "1"})
        return render(request, "victims/age.html", {"form": form})
    form = AgeForm(request.POST)
    if not form.is_valid():
        return render(request, "victims/age.html", {"form": form}, status=422)
    all_adults = form.cleaned_data["answer"] == AgeForm.NO
    access.answer_age(request, all_adults=all_adults)
    if not all_adults:
        return redirect("victims:other")
    return redirect(_AFTER_AGE[form.cleaned_data["way"]])


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@csp_replace({"require-trusted-types-for": ["'script'"], "trusted-types": ["hasher"]})
def make(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _send(request)
    if not access.may_choose_images(request):
        return redirect("victims:age")
    return render(request, "victims/make.html", _sending(SendForm()))


def _send(request: HttpRequest) -> HttpResponse:
    form = SendForm(request.POST)
    if not form.is_valid():
        # The page without its field for files: what was sent stands in the form and waits for the answer.
        return render(request, "victims/send_again.html", _sending(form), status=422)
    now = timezone.now()
    try:
        case, number = services.open_case(
            fingerprints=form.cleaned_data["hash"],
            pin=form.cleaned_data["pin"],
            language=get_language(),
            now=now,
        )
    except services.Busy:
        form.add_error("pin", busy())
        again = render(request, "victims/send_again.html", _sending(form), status=503)
        again["Retry-After"] = "2"
        return again
    access.admit(request, case, now, failed_tries=0)
    access.keep_number(request, number)
    return redirect("victims:number")


def _sending(form: SendForm) -> dict[str, object]:
    return {
        "form": form,
        "at_a_time": AT_A_TIME,
        "phrases": [credentials.new_phrase() for _ in range(PHRASES)],
        "plurals": plural_samples(get_language()),
        "review_on": (timezone.now() + services.REVIEW_AFTER).date(),
    }


@cache
def plural_samples(language: str) -> list[tuple[str, int]]:
    """For each plural form of a language a number that takes it: the page brings all forms along for its script."""
    rule = Locale.parse(language, sep="-").plural_form
    samples = {rule(number): number for number in reversed(range(101))}
    return list(samples.items())


@login_not_required
@require_safe
def worker(request: HttpRequest, name: str) -> HttpResponse:
    """The worker and the modules it imports, each with the strict policy of a worker."""
    found = finders.find(f"victims/{name}.js") if name in WORKER_FILES else None
    if found is None:
        raise Http404
    response = HttpResponse(Path(found).read_bytes(), content_type="text/javascript")
    response["Content-Security-Policy"] = WORKER_POLICY
    return response
