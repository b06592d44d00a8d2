"""The only road from a visitor to a case: a session that was opened with number and PIN, and has not gone quiet."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Final

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.utils import timezone

from victims import credentials
from victims.models import Case
from victims.services import session_key

QUIET: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(minutes=60)
_OPENED, _SEEN = "opened", "seen"
_CASE, _NUMBER, _TRIES, _SHOWN, _ADULT = "case", "number", "tries", "shown", "adult"

CaseView = Callable[[HttpRequest, Case], HttpResponse]


def admit(request: HttpRequest, case: Case, now: datetime, failed_tries: int) -> None:
    """From now on this session may see the case. It gets a new key, so that a planted one is worth nothing (T-07)."""
    request.session.flush()
    rotate_token(request)
    request.session[_CASE] = case.pk
    request.session[_OPENED] = request.session[_SEEN] = now.timestamp()
    request.session[_TRIES] = failed_tries


def failed_tries(request: HttpRequest) -> int:
    return int(request.session.get(_TRIES, 0))


def needs_case(
    *, keeps_number: bool = False
) -> Callable[[CaseView], Callable[[HttpRequest], HttpResponse]]:
    """Give the view the session's case, or send the visitor to where a case is opened.

    Every page of a case but the one that shows its number makes the session forget the number.
    """

    def decorator(view: CaseView) -> Callable[[HttpRequest], HttpResponse]:
        @wraps(view)
        def inner(request: HttpRequest) -> HttpResponse:
            if _CASE not in request.session:
                return redirect("victims:open")
            case = _case_of(request, timezone.now())
            if case is None:
                request.session.flush()
                return redirect("victims:quiet")
            if not keeps_number:
                forget_number(request)
            return view(request, case)

        return inner

    return decorator


def _case_of(request: HttpRequest, now: datetime) -> Case | None:
    session, at = request.session, now.timestamp()
    if at - session[_SEEN] > QUIET.total_seconds():
        return None
    if at - session[_OPENED] > LONGEST.total_seconds():
        return None
    session[_SEEN] = at
    return Case.objects.filter(pk=session[_CASE]).first()


def keep_number(request: HttpRequest, number: str) -> None:
    """For the one page that shows it; sealed, because sessions are rows in the database."""
    request.session[_NUMBER] = credentials.seal(session_key(), number)


def kept_number(request: HttpRequest) -> str | None:
    sealed = request.session.get(_NUMBER)
    try:
        return credentials.unseal(session_key(), sealed) if sealed else None
    except InvalidTag:
        return None


def forget_number(request: HttpRequest) -> None:
    request.session.pop(_NUMBER, None)


def uncover(request: HttpRequest) -> None:
    """Nobody else sees the screen: the person said so."""
    request.session[_SHOWN] = True


def is_covered(request: HttpRequest) -> bool:
    return not request.session.get(_SHOWN, False)


def answer_age(request: HttpRequest, *, all_adults: bool) -> None:
    """Remember that the question was answered with no. The other answers leave nothing behind, not even a session."""
    if all_adults:
        request.session[_ADULT] = True
    else:
        request.session.pop(_ADULT, None)


def may_choose_images(request: HttpRequest) -> bool:
    return bool(request.session.get(_ADULT, False))


def address_of(request: HttpRequest) -> str:
    """The visitor's address as this installation learns it; used for today's network key only, kept nowhere."""
    return str(request.META.get(settings.CLIENT_ADDRESS_META, ""))
