"""Where things stand: how much was removed, in bands, once a day; never a place, a time of day, or a bare match."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from victims import access
from victims.models import Case


@login_not_required
@require_safe
@access.needs_case()
def status(request: HttpRequest, case: Case) -> HttpResponse:
    if access.is_covered(request):
        return redirect("victims:ready")
    context = standing(case) | {"failed_tries": access.failed_tries(request)}
    return render(request, "victims/status.html", context)


def standing(case: Case) -> dict[str, object]:
    """All that the page is told of a case."""
    return {
        "is_open": case.is_open,
        "hash_count": case.hashes.count(),
        "band": _band(case.band),
        "events": _events(case),
        "review_on": case.review_on,
    }


@dataclass(frozen=True)
class Event:
    """One line of what happened: by the day, never by the hour, never a place (T-13)."""

    title: str
    text: str
    at: datetime
    is_done: bool = True


def _events(case: Case) -> list[Event]:
    """Newest first. Built from the case's own columns alone, so that nothing unconfirmed can show."""
    opened = Event(
        _("Fingerprints active"),
        _(
            "Connected services ask us about new posts, and we look through earlier ones."
        ),
        case.opened_at,
    )
    if case.withdrawn_at:
        stopped = Event(
            _("Stopped and deleted"),
            _("Nothing here is looked for any more."),
            case.withdrawn_at,
        )
        return [stopped]
    return [_found(case), opened]


def _found(case: Case) -> Event:
    at = case.band_refreshed_at
    if at is None:
        text = _("A computer compares your fingerprints with what was posted before.")
        return Event(_("Searching earlier posts"), text, case.opened_at, is_done=False)
    if case.band == Case.Band.NONE:
        text = _(
            "No match on connected services up to %(date)s. It can still be elsewhere, or changed too much to be found."
        ) % {"date": date_format(at)}
        return Event(_("Nothing found so far"), text, at, is_done=False)
    return Event(_("Copies removed"), _copies(case.band), at)


def _copies(band: str) -> str:
    return {
        Case.Band.FEW: _("1 to 5 copies were found and removed."),
        Case.Band.SOME: _("6 to 20 copies were found and removed."),
        Case.Band.MANY: _("More than 20 copies were found and removed."),
    }[Case.Band(band)]


def _band(band: str) -> str:
    return {
        Case.Band.NONE: _("none"),
        Case.Band.FEW: _("1 to 5"),
        Case.Band.SOME: _("6 to 20"),
        Case.Band.MANY: _("more than 20"),
    }[Case.Band(band)]
