"""What waits, in numbers. No list of contents: nobody picks, and no page shows media that was not asked for."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Min, Q, Value, When
from django.db.models.functions import Now

from moderation.models import Enforcement, Flag, User
from reviews.models import Claim, Decision
from reviews.services.looks import DAILY_LOOKS, looks_made


@dataclass(frozen=True, slots=True)
class Waiting:
    """The open flags of one source."""

    source: Flag.Source
    waiting: int
    overdue: int
    raised_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """One reviewer's view of the work. What they did is counted for themselves only."""

    sources: list[Waiting]
    waiting: int
    overdue: int
    held: Claim | None
    approvals: int
    looks: int
    looks_allowed: int


def desk(reviewer: User, now: datetime) -> Desk:
    # What checks the machine must look like what the machine found (T-21): it is counted there.
    shown = Case(
        When(source=Flag.Source.SAMPLE, then=Value(Flag.Source.HASH_MATCH)),
        default=F("source"),
    )
    rows = (
        Flag.objects.open()
        .values(shown=shown)
        .annotate(
            waiting=Count("pk"),
            overdue=Count("pk", filter=Q(due_at__lt=now)),
            raised_at=Min("raised_at"),
            due_at=Min("due_at"),
        )
        .order_by("due_at")
    )
    sources = [
        Waiting(
            source=Flag.Source(row["shown"]),
            waiting=row["waiting"],
            overdue=row["overdue"],
            raised_at=row["raised_at"],
            due_at=row["due_at"],
        )
        for row in rows
    ]
    waiting_for_me = Enforcement.objects.for_approval().exclude(ordered_by=reviewer)
    return Desk(
        sources=sources,
        waiting=sum(row.waiting for row in sources),
        overdue=sum(row.overdue for row in sources),
        held=Claim.objects.live(Now()).filter(reviewer=reviewer).first(),
        approvals=waiting_for_me.count(),
        looks=looks_made(reviewer, now),
        looks_allowed=DAILY_LOOKS,
    )


@dataclass(frozen=True, slots=True)
class Approval:
    """An order that waits for a second person, and the decision behind it."""

    order: Enforcement
    decision: Decision


def approvals_for(user: User) -> list[Approval]:
    """Oldest first; never one's own."""
    orders = (
        Enforcement.objects.for_approval()
        .exclude(ordered_by=user)
        .select_related("platform", "account")
        .order_by("ordered_at", "pk")
    )
    refs = [order.cause_ref for order in orders]
    decisions = {
        decision.public_id: decision
        for decision in Decision.objects.filter(public_id__in=refs).select_related(
            "policy"
        )
    }
    return [
        Approval(order, decisions[order.cause_ref])
        for order in orders
        if order.cause_ref in decisions
    ]
