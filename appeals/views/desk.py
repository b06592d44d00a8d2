"""The desk for appeals: take the next one, look, answer. The same rules for looking as at the first desk."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appeals import access, services
from appeals.forms import AnswerForm, LookForm
from appeals.models import Appeal, AppealClaim
from moderation import services as moderation
from moderation.errors import Refusal
from moderation.models import Content
from reviews import services as reviews
from reviews.models import Reveal


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    user, now = access.member(request), timezone.now()
    context = {"desk": services.desk(user, now), "now": now}
    return render(request, "appeals/queue.html", context)


@require_POST
def claim(request: HttpRequest) -> HttpResponse:
    try:
        taken = services.claim_next_appeal(
            reviewer=access.reviewer(request), now=timezone.now()
        )
    except (services.NothingToClaim, reviews.BudgetSpent) as refusal:
        messages.info(request, str(refusal))
        return redirect("appeals_desk:queue")
    return redirect("appeals_desk:item", taken.pk)


@require_GET
def item(request: HttpRequest, pk: int) -> HttpResponse:
    reviewer = access.reviewer(request)
    mine = access.own_claim(reviewer, pk)
    try:
        services.heartbeat(claim=mine, reviewer=reviewer)
    except reviews.LeaseLost as refusal:
        return _stale(request, mine, refusal)
    return _item(request, mine, _form(mine))


@require_GET
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The blurred, grey copy: all that there is to see before a look is asked for."""
    access.only_as_picture(request)
    mine = access.live_claim(access.reviewer(request), pk)
    return _derivative(_content(mine), blur=True, grey=True, mark="")


@require_POST
def reveal(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask to look. With script the answer is a link; without, the page with the picture in it, this once."""
    reviewer = access.reviewer(request)
    mine = access.live_claim(reviewer, pk)
    form = LookForm(request.POST)
    if not form.is_valid():
        raise Http404
    try:
        link = reviews.order_look(
            lease=mine,
            content=_content(mine),
            reviewer=reviewer,
            derivative=Reveal.Derivative(form.cleaned_data["derivative"]),
            session_key=str(request.session.session_key),
            now=timezone.now(),
        )
    except reviews.LeaseLost:
        raise Http404 from None
    except (reviews.BudgetSpent, reviews.GreyFirst) as refusal:
        return _not_shown(request, mine, refusal)
    url = reverse("appeals_desk:look", args=[link])
    if _wants_json(request):
        made = reviews.looks_made(reviewer, timezone.now())
        return JsonResponse({"url": url, "made": made, "allowed": reviews.DAILY_LOOKS})
    return _item(request, mine, _form(mine, request), look_url=url)


@require_GET
def look(request: HttpRequest, link: str) -> HttpResponse:
    access.only_as_picture(request)
    reviewer, now = access.reviewer(request), timezone.now()
    try:
        seen = reviews.open_look(
            link=link,
            leases=AppealClaim.objects.all(),
            reviewer=reviewer,
            session_key=str(request.session.session_key),
            now=now,
        )
    except reviews.LinkSpent:
        raise Http404 from None
    grey = seen.derivative == Reveal.Derivative.GREY
    mark = f"{reviewer.pseudonym} {now:%Y-%m-%d %H:%M} UTC"
    return _derivative(seen.content, blur=False, grey=grey, mark=mark)


@require_POST
def alive(request: HttpRequest, pk: int) -> HttpResponse:
    reviewer = access.reviewer(request)
    mine = access.own_claim(reviewer, pk)
    try:
        services.heartbeat(claim=mine, reviewer=reviewer)
    except reviews.LeaseLost as refusal:
        return JsonResponse({"detail": str(refusal)}, status=refusal.status)
    return JsonResponse(_left(mine, timezone.now()))


@require_POST
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """The page says that it was closed; nobody reads the answer."""
    reviewer = access.reviewer(request)
    services.leave(claim=access.own_claim(reviewer, pk), reviewer=reviewer)
    return HttpResponse(status=204)


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    reviewer = access.reviewer(request)
    try:
        services.release(claim=access.own_claim(reviewer, pk), reviewer=reviewer)
    except reviews.LeaseLost as refusal:
        messages.info(request, str(refusal))
    else:
        messages.success(request, _("You gave it back. Somebody else takes it."))
    return redirect("appeals_desk:queue")


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    reviewer = access.reviewer(request)
    mine = access.own_claim(reviewer, pk)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _item(request, mine, form, status=422)
    try:
        appeal = services.decide_appeal(
            reviewer=reviewer, now=timezone.now(), **form.answer()
        )
    except _NOT_TAKEN as refusal:
        return _stale(request, mine, refusal, form)
    messages.success(request, _said(appeal))
    return redirect("appeals_desk:queue")


_NOT_TAKEN = (
    reviews.LeaseLost,
    services.AlreadyTakenBack,
    services.AppealDecided,
    services.TookPartBefore,
)


def _item(
    request: HttpRequest,
    mine: AppealClaim,
    form: AnswerForm,
    *,
    status: int = 200,
    **more: object,
) -> HttpResponse:
    now = timezone.now()
    if not mine.is_live(now):
        lost = reviews.LeaseLost(_("Your time with this one is over."))
        return _stale(request, mine, lost, form)
    context = {
        "claim": mine,
        "case": services.case_of(mine.appeal, now),
        "form": form,
        "left": _left(mine, now),
        "may_colour": reviews.may_see_colour(mine),
        "looks_left": reviews.looks_left(mine.reviewer, now),
        "now": now,
        **more,
    }
    return render(request, "appeals/item.html", context, status=status)


def _stale(
    request: HttpRequest,
    mine: AppealClaim,
    refusal: Refusal,
    form: AnswerForm | None = None,
) -> HttpResponse:
    """Why it could not be taken, and the reviewer's own words, to copy."""
    words = form["reasoning"].value() if form else ""
    context = {"claim": mine, "refusal": refusal, "words": words}
    return render(request, "appeals/stale.html", context, status=refusal.status)


def _not_shown(
    request: HttpRequest, mine: AppealClaim, refusal: Refusal
) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"detail": str(refusal)}, status=refusal.status)
    form = _form(mine, request)
    return _item(request, mine, form, status=refusal.status, refusal=refusal)


def _form(mine: AppealClaim, request: HttpRequest | None = None) -> AnswerForm:
    """The empty form, or what was typed so far, not judged yet."""
    typed = {}
    if request is not None:
        typed = {
            "outcome": request.POST.get("outcome"),
            "ready": request.POST.getlist("ready"),
            "reasoning": request.POST.get("reasoning"),
        }
    return AnswerForm(initial={**typed, "claim_token": mine.token})


def _content(mine: AppealClaim) -> Content:
    return mine.appeal.grant.decision.flag.content


def _derivative(content: Content, *, blur: bool, grey: bool, mark: str) -> HttpResponse:
    try:
        data = moderation.picture_for_review(
            content=content, blur=blur, grey=grey, mark=mark
        )
    except moderation.EvidenceUnavailable:
        raise Http404 from None
    response = HttpResponse(data, content_type="image/webp")
    response["Cache-Control"] = "no-store"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _left(mine: AppealClaim, now: datetime) -> dict[str, int]:
    """Whole seconds until the lease ends, and until it must end; and how long a whole one is."""
    ends = {"left": mine.expires_at, "hard_left": mine.hard_expires_at}
    left = {
        name: max(0, int((end - now).total_seconds())) for name, end in ends.items()
    }
    return {**left, "whole": int(services.LEASE.total_seconds())}


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _said(appeal: Appeal) -> str:
    if appeal.outcome == Appeal.Outcome.OVERTURNED:
        return _("Decided. The post and the account are on their way back.")
    return _("Decided. The decision stays.")
