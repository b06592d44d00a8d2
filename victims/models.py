"""A person's case. No name, no address, no picture, no hash: those are sealed in the bank, which knows no case."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from moderation.models import token


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> Self:
        return self.filter(state=Case.State.OPEN)


class Case(models.Model):
    """One person's submission of fingerprints, and their change of mind.

    The case number is kept only as an HMAC, the PIN only as Argon2id over a peppered HMAC.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "Open"
        WITHDRAWN = "WITHDRAWN", "Stopped and deleted"

    class Band(models.TextChoices):
        """How many copies were removed, and no more than that: the page must not be a way to search (T-13)."""

        NONE = "NONE", "none"
        FEW = "FEW", "1 to 5"
        SOME = "SOME", "6 to 20"
        MANY = "MANY", "more than 20"

    number_index = models.CharField(max_length=64, unique=True)
    pin_hash = models.CharField(max_length=200)
    language = models.CharField(max_length=12, default="en")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    review_on = models.DateField()
    # Refreshed once a day, at a minute of the day that was drawn at random for each case.
    band = models.CharField(max_length=5, choices=Band.choices, default=Band.NONE)
    band_minute = models.PositiveSmallIntegerField()
    band_refreshed_at = models.DateTimeField(null=True, blank=True)
    failed_tries = models.PositiveIntegerField(default=0)
    last_opened_at = models.DateTimeField(null=True, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "WITHDRAWN"]), name="case_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="WITHDRAWN") ^ Q(withdrawn_at__isnull=True),
                name="case_withdrawn_has_time",
            ),
            models.CheckConstraint(
                condition=Q(band_minute__lt=1440), name="case_band_minute_in_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class SubmittedHash(models.Model):
    """That a fingerprint belongs to a case. The value is in the bank under ``source_ref``; nothing else joins them."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="hashes")
    source_ref = models.CharField(max_length=32, unique=True, default=token)
    quality = models.PositiveSmallIntegerField()
    submitted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quality__gte=50, quality__lte=100),
                name="submitted_quality_50_to_100",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def expired(self, now: datetime) -> Self:
        return self.filter(expires_at__lte=now)


class Attempt(models.Model):
    """How often something was tried, counted by an HMAC of what was tried, whether or not it exists (T-04)."""

    key = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = AttemptQuerySet.as_manager()

    def __str__(self) -> str:
        return f"#{self.pk}"
