"""The console: take the next one, look, answer; and the second person's yes."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from moderation import services as moderation
from moderation.errors import Refusal
from moderation.models import Content, Enforcement, User
from reviews import access, services
from reviews.forms import DecisionForm, LookForm
from reviews.models import Claim, Reveal


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    user, now = access.member(request), timezone.now()
    context = {"desk": services.desk(user, now), "now": now}
    return render(request, "reviews/queue.html", context)


@require_POST
def claim(request: HttpRequest) -> HttpResponse:
    reviewer = access.reviewer(request)
    try:
        taken = services.claim_next(reviewer=reviewer, now=timezone.now())
    except services.AlreadyHolding as refusal:
        taken = refusal.claim
    except (services.NothingToClaim, services.BudgetSpent) as refusal:
        messages.info(request, str(refusal))
        return redirect("reviews:queue")
    return redirect("reviews:item", taken.pk)


@require_GET
def item(request: HttpRequest, pk: int) -> HttpResponse:
    reviewer = access.reviewer(request)
    mine = access.own_claim(reviewer, pk)
    return _item(request, mine, _form(mine))


@require_GET
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The blurred, grey copy: all that there is to see before a look is asked for."""
    access.only_as_picture(request)
    mine = access.live_claim(access.reviewer(request), pk)
    return _derivative(mine.flag.content, blur=True, grey=True, mark="")


@require_POST
def reveal(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask to look. With script the answer is a link; without, the page with the picture in it, this once."""
    reviewer = access.reviewer(request)
    mine = access.live_claim(reviewer, pk)
    form = LookForm(request.POST)
    if not form.is_valid():
        raise Http404
    try:
        link = services.order_look(
            lease=mine,
            content=mine.flag.content,
            reviewer=reviewer,
            derivative=Reveal.Derivative(form.cleaned_data["derivative"]),
            session_key=str(request.session.session_key),
            now=timezone.now(),
        )
    except services.LeaseLost:
        raise Http404 from None
    except (services.BudgetSpent, services.GreyFirst) as refusal:
        return _not_shown(request, mine, refusal)
    url = reverse("reviews:look", args=[link])
    if _wants_json(request):
        made = services.looks_made(reviewer, timezone.now())
        return JsonResponse({"url": url, "made": made, "allowed": services.DAILY_LOOKS})
    return _item(request, mine, _form(mine, request), look_url=url)


@require_GET
def look(request: HttpRequest, link: str) -> HttpResponse:
    access.only_as_picture(request)
    reviewer, now = access.reviewer(request), timezone.now()
    try:
        seen = services.open_look(
            link=link,
            leases=Claim.objects.all(),
            reviewer=reviewer,
            session_key=str(request.session.session_key),
            now=now,
        )
    except services.LinkSpent:
        raise Http404 from None
    grey = seen.derivative == Reveal.Derivative.GREY
    mark = _mark(reviewer, now)
    return _derivative(seen.content, blur=False, grey=grey, mark=mark)


@require_POST
def alive(request: HttpRequest, pk: int) -> HttpResponse:
    reviewer = access.reviewer(request)
    mine = access.own_claim(reviewer, pk)
    try:
        services.heartbeat(claim=mine, reviewer=reviewer)
    except services.LeaseLost as refusal:
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
    except services.LeaseLost as refusal:
        messages.info(request, str(refusal))
    else:
        messages.success(request, _("You gave it back. Somebody else takes it."))
    return redirect("reviews:queue")


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    reviewer = access.reviewer(request)
    mine = access.own_claim(reviewer, pk)
    form, now = DecisionForm(request.POST), timezone.now()
    if not form.is_valid():
        return _item(request, mine, form, status=422)
    if "preview" in request.POST:
        return _preview(request, mine, form, now)
    try:
        decision = services.decide(reviewer=reviewer, now=now, **form.answer())
    except _NOT_TAKEN as refusal:
        return _stale(request, mine, refusal, form)
    messages.success(request, _outcome(decision.removes, decision.disables_account))
    return redirect("reviews:queue")


_NOT_TAKEN = (
    services.LeaseLost,
    services.AlreadyDecided,
    services.FlagChanged,
    services.PolicyMismatch,
    services.StatementIncomplete,
)


@require_GET
def approvals(request: HttpRequest) -> HttpResponse:
    waiting = services.approvals_for(access.reviewer(request))
    context = {"approvals": waiting, "now": timezone.now()}
    return render(request, "reviews/approvals.html", context)


@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    said = _("Approved. The account is closed as soon as the platform confirms it.")
    return _second(request, pk, moderation.approve_enforcement, said)


@require_POST
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    said = _("Not approved. The account stays open.")
    return _second(request, pk, moderation.decline_enforcement, said)


def _second(
    request: HttpRequest, pk: int, deed: Callable[..., Enforcement], said: str
) -> HttpResponse:
    user = access.reviewer(request)
    order = access.approval(user, pk)
    try:
        deed(enforcement=order, approver=user, now=timezone.now())
    except (moderation.ApproverIsDecider, moderation.NothingToApprove) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("reviews:approvals")


def _form(mine: Claim, request: HttpRequest | None = None) -> DecisionForm:
    """The empty form, or what was typed so far, not judged yet."""
    fresh = {"claim_token": mine.token, "version": mine.flag.version}
    if request is None:
        return DecisionForm(initial=fresh)
    typed = {key: request.POST.get(key) for key in request.POST if key != "seen"}
    seen = request.POST.getlist("seen")
    return DecisionForm(initial={**fresh, **typed, "seen": seen})


def _item(
    request: HttpRequest,
    mine: Claim,
    form: DecisionForm,
    *,
    status: int = 200,
    **more: object,
) -> HttpResponse:
    """The page, which is a sign of life: somebody asked for it."""
    now = timezone.now()
    try:
        services.heartbeat(claim=mine, reviewer=mine.reviewer)
    except services.LeaseLost as refusal:
        return _stale(request, mine, refusal, form if form.is_bound else None)
    context = {
        "claim": mine,
        "flag": mine.flag,
        "evidence": services.evidence(mine.flag),
        "form": form,
        "left": _left(mine, now),
        "used": _used(mine, now),
        "may_colour": services.may_see_colour(mine),
        "now": now,
        **more,
    }
    return render(request, "reviews/item.html", context, status=status)


def _preview(
    request: HttpRequest, mine: Claim, form: DecisionForm, now: datetime
) -> HttpResponse:
    """The statement exactly as it would go out; only the link is made when it does."""
    words = form.words()
    if not words["policy"].removes:
        return _item(request, mine, form, has_no_statement=True)
    link = services.appeal_link("…")
    try:
        statement = services.statement_of_reasons(
            flag=mine.flag, appeal_link=link, now=now, **words
        )
    except services.StatementIncomplete as refusal:
        return _stale(request, mine, refusal, form)
    return _item(request, mine, form, statement=statement)


def _stale(
    request: HttpRequest,
    mine: Claim,
    refusal: Refusal,
    form: DecisionForm | None = None,
) -> HttpResponse:
    """Why it could not be taken, and the reviewer's own words, to copy."""
    context = {
        "claim": mine,
        "refusal": refusal,
        "words": form.kept_words() if form else [],
        "is_live": mine.flag.is_open and services.is_held(mine),
    }
    return render(request, "reviews/stale.html", context, status=refusal.status)


def _not_shown(request: HttpRequest, mine: Claim, refusal: Refusal) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"detail": str(refusal)}, status=refusal.status)
    form = _form(mine, request)
    return _item(request, mine, form, status=refusal.status, refusal=refusal)


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


def _mark(reviewer: User, now: datetime) -> str:
    return f"{reviewer.pseudonym} {now:%Y-%m-%d %H:%M} UTC"


def _left(mine: Claim, now: datetime) -> dict[str, int]:
    """Whole seconds until the lease ends, until it must end, and how many a sign of life gives."""
    ends = {"left": mine.expires_at, "hard_left": mine.hard_expires_at}
    left = {
        name: max(0, int((end - now).total_seconds())) for name, end in ends.items()
    }
    whole = int(services.LEASE.total_seconds())
    return {**left, "whole": whole, "minutes": round(left["left"] / 60)}


def _used(mine: Claim, now: datetime) -> int:
    """How much of the time until the flag is due has gone, in per cent."""
    flag = mine.flag
    whole = (flag.due_at - flag.raised_at).total_seconds()
    return min(100, max(0, int(100 * (now - flag.raised_at).total_seconds() / whole)))


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _outcome(removes: bool, disables_account: bool) -> str:
    if not removes:
        return _("Decided. What was hidden is shown again.")
    if disables_account:
        return _(
            "Decided. The removal is on its way, and the account waits for a second person."
        )
    return _("Decided. The removal is on its way.")
