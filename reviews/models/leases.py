"""Who may look at and answer which question, for how long, and that they looked."""

from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from moderation.models import Content, Flag, token

LeaseT = TypeVar("LeaseT", bound="Lease")


class LeaseQuerySet(models.QuerySet[LeaseT]):
    """Pass ``Now()``, so that the database's clock decides and not that of one of many web servers."""

    def active(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def live(self, now: datetime | Now) -> Self:
        return self.active().filter(expires_at__gt=now, hard_expires_at__gt=now)

    def expired(self, now: datetime | Now) -> Self:
        return self.active().filter(
            Q(expires_at__lte=now) | Q(hard_expires_at__lte=now)
        )


class Lease(models.Model):
    """The right to answer one question for a while. Token and epoch are checked again when the answer comes."""

    class Ended(models.TextChoices):
        DECIDED = "DECIDED", "Decided"
        RELEASED = "RELEASED", "Given back"
        EXPIRED = "EXPIRED", "Ran out"

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    token = models.CharField(max_length=32, unique=True, default=token)
    epoch = models.PositiveIntegerField()
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    hard_expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, choices=Ended.choices, blank=True)

    class Meta:
        abstract = True

    def is_live(self, now: datetime) -> bool:
        return (
            self.ended_at is None
            and now < self.expires_at
            and now < self.hard_expires_at
        )


class ClaimQuerySet(LeaseQuerySet["Claim"]):
    """The leases on flags."""


class Claim(Lease):
    """A reviewer's lease on a flag."""

    flag = models.ForeignKey(Flag, on_delete=models.PROTECT, related_name="claims")

    objects = ClaimQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["flag"],
                condition=Q(ended_at__isnull=True),
                name="claim_one_active_per_flag",
            ),
            models.UniqueConstraint(
                fields=["reviewer"],
                condition=Q(ended_at__isnull=True),
                name="claim_one_active_per_reviewer",
            ),
            models.UniqueConstraint(fields=["flag", "epoch"], name="claim_epoch_once"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class RevealQuerySet(models.QuerySet["Reveal"]):
    def on_day_of(self, now: datetime) -> Self:
        midnight = now.astimezone(UTC).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return self.filter(
            revealed_at__gte=midnight, revealed_at__lt=midnight + timedelta(days=1)
        )


class Reveal(models.Model):
    """That a reviewer looked, committed before the first byte leaves (T-35). No URL, no hash."""

    class Derivative(models.TextChoices):
        GREY = "GREY", "Grey"
        COLOUR = "COLOUR", "In colour"

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reveals"
    )
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, related_name="reveals"
    )
    derivative = models.CharField(max_length=10, choices=Derivative.choices)
    # The lease that gave the right to look: of a claim here, or of an appeal upstairs.
    lease_token = models.CharField(max_length=32, db_index=True)
    revealed_at = models.DateTimeField()
    # The link was used: it never works again.
    served_at = models.DateTimeField(null=True, blank=True)

    objects = RevealQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(derivative__in=["GREY", "COLOUR"]),
                name="reveal_derivative_known",
            )
        ]
        indexes = [
            models.Index(
                fields=["reviewer", "revealed_at"], name="reveal_by_reviewer_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
