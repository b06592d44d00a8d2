"""The only road from a request to a row of the desk. Who may not know of a row gets the answer that there is none."""

from typing import cast

from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django.http import Http404, HttpRequest

from moderation.models import Enforcement, User
from reviews.models import Claim, ClaimQuerySet


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


def own_claim(user: User, pk: int) -> Claim:
    """A claim that this reviewer has or had.

    :raises Http404: if it is somebody else's, or there is none.
    """
    return _one(_claims().filter(reviewer=user, pk=pk))


def live_claim(user: User, pk: int) -> Claim:
    """The claim that gives the right to look now (T-35).

    :raises Http404: if it is over, somebody else's, or there is none.
    """
    return _one(_claims().live(Now()).filter(reviewer=user, pk=pk))


def approval(user: User, pk: int) -> Enforcement:
    """An order that waits for a second person, and this is one.

    :raises Http404: if it no longer waits, or this person ordered it.
    """
    rows = Enforcement.objects.for_approval().exclude(ordered_by=user)
    order = rows.filter(pk=pk).first()
    if order is None:
        raise Http404
    return order


def only_as_picture(request: HttpRequest) -> None:
    """
    :raises PermissionDenied: if a browser says that another site, or anything but an ``<img>``, asks (T-36).
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    dest = request.headers.get("Sec-Fetch-Dest", "image")
    if (site, dest) != ("same-origin", "image"):
        raise PermissionDenied


def _claims() -> ClaimQuerySet:
    return Claim.objects.select_related(
        "reviewer",
        "flag__content__platform",
        "flag__content__account",
        "flag__content__evidence",
    )


def _one(rows: ClaimQuerySet) -> Claim:
    claim = rows.first()
    if claim is None:
        raise Http404
    return claim
