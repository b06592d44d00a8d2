"""Looking: each look is counted and written down before the first byte leaves, and its link works once (T-35, T-36)."""

from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from moderation.errors import Refusal
from moderation.models import AuditEntry, Content, User
from reviews.models import Lease, LeaseQuerySet, Reveal

DAILY_LOOKS = 120
LINK_LASTS = timedelta(seconds=60)


class LeaseLost(Refusal):
    """The right to answer this question ended, or it was never this person's."""

    code = "lease_lost"


class BudgetSpent(Refusal):
    """The dose is what can be kept low; the server keeps it, not the reviewer's will."""

    code = "budget_spent"


class GreyFirst(Refusal):
    """Colour is a second step."""

    code = "grey_first"


class LinkSpent(Refusal):
    """The link was used, is too old, or belongs to another session or lease."""

    code = "link_spent"


def looks_made(reviewer: User, now: datetime) -> int:
    return Reveal.objects.filter(reviewer=reviewer).on_day_of(now).count()


def looks_left(reviewer: User, now: datetime) -> int:
    return max(0, DAILY_LOOKS - looks_made(reviewer, now))


def may_see_colour(lease: Lease) -> bool:
    return Reveal.objects.filter(
        lease_token=lease.token, served_at__isnull=False
    ).exists()


@transaction.atomic
def order_look(
    *,
    lease: Lease,
    content: Content,
    reviewer: User,
    derivative: Reveal.Derivative,
    session_key: str,
    now: datetime,
) -> str:
    """Write down that a reviewer looks, and give the link that shows the picture once within a minute.

    :raises LeaseLost: if the lease is over or not theirs.
    :raises BudgetSpent: if they have looked enough today.
    :raises GreyFirst: for colour, before the picture was seen in grey under this lease.
    """
    # The lock makes the count exact: two looks at the same moment cannot both be the last one.
    User.objects.select_for_update(no_key=True).get(pk=reviewer.pk)
    leases: Any = type(lease)._default_manager.all()
    if not _holds(leases, lease.token, reviewer):
        raise LeaseLost(_("Your time with this one is over."))
    if looks_left(reviewer, now) == 0:
        raise BudgetSpent(_("You have looked enough for today. Come back tomorrow."))
    if derivative == Reveal.Derivative.COLOUR and not may_see_colour(lease):
        raise GreyFirst(_("See it in grey first."))
    reveal = Reveal.objects.create(
        reviewer=reviewer,
        content=content,
        derivative=derivative,
        lease_token=lease.token,
        revealed_at=now,
    )
    AuditEntry.record(
        actor=reviewer, verb="reveal.made", target=reveal, content=content.pk
    )
    return _signer(session_key).sign(str(reveal.pk))


@transaction.atomic
def open_look(
    *,
    link: str,
    leases: "LeaseQuerySet[Any]",
    reviewer: User,
    session_key: str,
    now: datetime,
) -> Reveal:
    """Use a link up.

    :param leases: the kind of lease that gave the right to look: ``Claim.objects.all()`` at this desk.
    :raises LinkSpent: if it was used, is older than a minute, or belongs to another session, reviewer or lease.
    """
    spent = LinkSpent(_("This look is over."))
    try:
        pk = int(_signer(session_key).unsign(link, max_age=LINK_LASTS))
    except (signing.BadSignature, ValueError):
        raise spent from None
    rows = Reveal.objects.filter(pk=pk, reviewer=reviewer)
    reveal = rows.select_related("content").first()
    if reveal is None or not _holds(leases, reveal.lease_token, reviewer):
        raise spent
    if not rows.filter(served_at__isnull=True).update(served_at=now):
        raise spent
    return reveal


def _holds(leases: "LeaseQuerySet[Any]", lease_token: str, reviewer: User) -> bool:
    mine = leases.live(Now()).filter(token=lease_token, reviewer=reviewer)
    return bool(mine.exists())


def _signer(session_key: str) -> signing.TimestampSigner:
    """The session is part of the salt: elsewhere the same link has a wrong signature."""
    return signing.TimestampSigner(salt=f"reviews.look:{session_key}")
