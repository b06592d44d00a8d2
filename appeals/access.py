"""The only roads from a request to an appeal: a link's token traded for a quarter of an hour, or a live lease."""

import hashlib
from datetime import datetime, timedelta
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest

from appeals.models import Appeal, AppealClaim
from moderation.models import User
from reviews.models import AppealGrant, LeaseQuerySet

# How long a page stays open without a sign of life.
QUIET = timedelta(minutes=15)
# The link still shows the answer for a month after it was promised, also when the time to ask has ended.
_AFTER_REPLY = timedelta(days=31)
_KEY = "appeal"


class NotEntered(Http404):
    """This browser has not opened a link, or it was quiet for too long."""


def grant_by_token(raw: str, now: datetime) -> AppealGrant:
    """One look-up by the token's hash, the same for a token that is unknown and one that is too old (T-51).

    :raises Http404: for both.
    """
    digest = hashlib.sha256(raw.encode()).hexdigest()
    grant = _open_grants(now).filter(token_sha256=digest).first()
    if grant is None:
        raise Http404
    return grant


def enter(request: HttpRequest, grant: AppealGrant, now: datetime) -> None:
    """Let this browser see the grant's pages for a while, under a fresh session id."""
    request.session.cycle_key()
    request.session[_KEY] = {"grant": grant.pk, "until": (now + QUIET).timestamp()}


def grant_for(request: HttpRequest, now: datetime) -> AppealGrant:
    """
    :raises NotEntered: if nothing was opened here, or not any more.
    """
    entry = request.session.get(_KEY)
    if entry is None:
        raise NotEntered
    grant = _open_grants(now).filter(pk=entry["grant"]).first()
    if grant is None or entry["until"] <= now.timestamp():
        del request.session[_KEY]
        raise NotEntered
    request.session[_KEY] = {**entry, "until": (now + QUIET).timestamp()}
    return grant


def appeal_of(grant: AppealGrant) -> Appeal:
    """
    :raises Http404: if there is none yet.
    """
    appeal = Appeal.objects.told().filter(grant=grant).first()
    if appeal is None:
        raise Http404
    return appeal


def member(request: HttpRequest) -> User:
    """Anybody on the staff; the middleware has asked for the second factor."""
    return cast(User, request.user)


def reviewer(request: HttpRequest) -> User:
    """
    :raises PermissionDenied: for a member of staff whose role does not review.
    """
    user = member(request)
    if not user.may_review:
        raise PermissionDenied
    return user


def own_claim(user: User, pk: int) -> AppealClaim:
    """A claim that this reviewer has or had.

    :raises Http404: if it is somebody else's, there is none, or they took part in the first decision.
    """
    return _one(_claims(user).filter(pk=pk))


def live_claim(user: User, pk: int) -> AppealClaim:
    """The claim that gives the right to look now (T-35).

    :raises Http404: if it is over besides.
    """
    return _one(_claims(user).live(Now()).filter(pk=pk))


def only_as_picture(request: HttpRequest) -> None:
    """
    :raises PermissionDenied: if a browser says that another site, or anything but an ``<img>``, asks (T-36).
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    dest = request.headers.get("Sec-Fetch-Dest", "image")
    if (site, dest) != ("same-origin", "image"):
        raise PermissionDenied


def _claims(user: User) -> LeaseQuerySet[AppealClaim]:
    theirs = Appeal.objects.for_reviewer(user.pk)
    return AppealClaim.objects.filter(reviewer=user, appeal__in=theirs).select_related(
        "reviewer",
        "appeal__grant__decision__policy",
        "appeal__grant__decision__flag__content__platform",
        "appeal__grant__decision__flag__content__account",
        "appeal__grant__decision__flag__content__evidence",
    )


def _one(rows: LeaseQuerySet[AppealClaim]) -> AppealClaim:
    claim = rows.first()
    if claim is None:
        raise Http404
    return claim


def _open_grants(now: datetime) -> QuerySet[AppealGrant]:
    still = Q(expires_at__gt=now) | Q(appeal__reply_by__gt=now - _AFTER_REPLY)
    return AppealGrant.objects.told().filter(still)
