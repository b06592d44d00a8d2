"""A person's case. No name, no address, no picture, no hash: those are sealed in the bank, which knows no case."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.db import connection, models
from django.db.models import Q

from moderation.models import token


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> Self:
        return self.filter(state=Case.State.OPEN)

    def band_due(self, now: datetime) -> Self:
        """Open cases whose minute of today has come and whose band is still of a day before."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        minute = now.hour * 60 + now.minute
        stale = Q(band_refreshed_at__lt=today) | Q(
            band_refreshed_at__isnull=True, opened_at__lt=today
        )
        return self.open().filter(stale, band_minute__lte=minute)


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

    def open_up(self, now: datetime) -> None:
        """Somebody with the number and the PIN is here."""
        self.failed_tries = 0
        self.last_opened_at = now
        self.save(update_fields=["failed_tries", "last_opened_at"])

    def withdraw(self, now: datetime) -> None:
        self.state = self.State.WITHDRAWN
        self.withdrawn_at = now
        self.band = self.Band.NONE
        self.save(update_fields=["state", "withdrawn_at", "band"])

    def show_band(self, band: Band, now: datetime) -> None:
        self.band = band
        self.band_refreshed_at = now
        self.save(update_fields=["band", "band_refreshed_at"])


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


@dataclass(frozen=True)
class Limit:
    """How many tries of one kind pass before there is a pause, and how long the pauses are.

    Without ``pauses`` the tries of one ``window`` are counted and the rest wait for its end. With them, each try after
    the free ones is followed by the next pause, the last one again and again, and the count is forgotten when there
    was no try for a ``window``.
    """

    free: int
    window: timedelta
    pauses: tuple[timedelta, ...] = ()

    def pause(self, step: int) -> timedelta:
        return self.pauses[min(step, len(self.pauses) - 1)] if self.pauses else ZERO


ZERO = timedelta(0)
_STEPS = 6
# One statement, so that the database itself lets exactly as many pass as may, in any number of processes (T-04).
_COUNT = """
    INSERT INTO victims_attempt AS tries (key, count, blocked_until, expires_at)
    VALUES (%(key)s, 1, NULL, %(expires)s)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN tries.expires_at <= %(now)s THEN 1 ELSE tries.count + 1 END,
        blocked_until = CASE
            WHEN tries.expires_at <= %(now)s OR tries.count + 1 < %(free)s THEN NULL
            WHEN %(slides)s = 0 THEN tries.expires_at
            WHEN tries.count + 1 = %(free)s THEN %(pause0)s
            WHEN tries.count = %(free)s THEN %(pause1)s
            WHEN tries.count = %(free)s + 1 THEN %(pause2)s
            WHEN tries.count = %(free)s + 2 THEN %(pause3)s
            WHEN tries.count = %(free)s + 3 THEN %(pause4)s
            ELSE %(pause5)s END,
        expires_at = CASE
            WHEN tries.expires_at <= %(now)s OR %(slides)s = 1 THEN %(expires)s
            ELSE tries.expires_at END
    WHERE tries.blocked_until IS NULL OR tries.blocked_until <= %(now)s
    RETURNING count
"""


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def expired(self, now: datetime) -> Self:
        return self.filter(expires_at__lte=now)

    def admit(self, key: str, limit: Limit, now: datetime) -> datetime | None:
        """Count one try; if it may not pass, the answer is the time from which the next one may.

        A refused try changes nothing: whoever goes on trying does not keep others out for longer.
        """
        stored = connection.ops.adapt_datetimefield_value
        moments = {
            f"pause{step}": stored(now + limit.pause(step)) for step in range(_STEPS)
        }
        facts = {
            "key": key,
            "now": stored(now),
            "expires": stored(now + limit.window),
            "free": limit.free,
            "slides": int(bool(limit.pauses)),
        }
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, dict([*facts.items(), *moments.items()]))
            if cursor.fetchone():
                return None
        row = self.filter(key=key).values_list("blocked_until", flat=True).first()
        return row or now


class Attempt(models.Model):
    """How often something was tried, counted by an HMAC of what was tried, whether or not it exists (T-04)."""

    key = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = AttemptQuerySet.as_manager()

    def __str__(self) -> str:
        return f"#{self.pk}"


def _new_salt() -> bytes:
    return secrets.token_bytes(32)


class DailySalt(models.Model):
    """What a day's network keys are made with. Deleted when the day is over: then nothing leads back to a network."""

    day = models.DateField(unique=True)
    salt = models.BinaryField(default=_new_salt)

    def __str__(self) -> str:
        return f"#{self.pk}"
