"""Lists of partners that are fetched from them, and each fetch as work."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

from moderation.models.banks import HashBank
from moderation.models.work import Work, WorkQuerySet, work_constraints

_DAY = timedelta(days=1)
# A list this small may change at will.
SMALL = 1000


class Feed(models.Model):
    """A partner's list that is fetched into a bank of its own (T-27).

    ``checkpoint["at"]`` is how far it was read; while the feed is quarantined, ``checkpoint["ahead"]`` is how far it
    was read for withdrawals only. What the partner has more than it may add in a day waits there, and is not stored.
    """

    class Kind(models.TextChoices):
        STOPNCII = "STOPNCII", "StopNCII"
        NCMEC = "NCMEC", "NCMEC hash sharing"
        FILE = "FILE", "A file of the operator"

    slug = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    bank = models.OneToOneField(HashBank, on_delete=models.PROTECT, related_name="feed")
    # Where it is: the base of a web address, or the path of a file.
    address = models.CharField(max_length=300)
    credentials_sealed = models.BinaryField(null=True)
    is_enabled = models.BooleanField(default=True)
    every_minutes = models.PositiveSmallIntegerField(default=15)
    next_fetch_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True, blank=True)
    checkpoint = models.JSONField(default=dict)
    # How much it may grow in a day, and how much it has grown since that day began.
    growth_percent = models.PositiveSmallIntegerField(default=20)
    day_began_at = models.DateTimeField(null=True, blank=True)
    day_base_count = models.PositiveBigIntegerField(default=0)
    day_added_count = models.PositiveBigIntegerField(default=0)
    # What a person let in beyond that.
    released_count = models.PositiveBigIntegerField(default=0)
    quarantined_at = models.DateTimeField(null=True, blank=True)
    waiting_count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["STOPNCII", "NCMEC", "FILE"]),
                name="feed_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(every_minutes__gte=1), name="feed_pauses"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.slug}"

    @property
    def is_quarantined(self) -> bool:
        return self.quarantined_at is not None

    @property
    def place(self) -> dict[str, Any]:
        """Where the reading goes on."""
        at: dict[str, Any] = self.checkpoint.get("at", {})
        return self.checkpoint.get("ahead", at) if self.is_quarantined else at

    @property
    def allowance(self) -> int:
        """How many more hashes it may bring, or a file may lose, before the day is over."""
        share = self.day_base_count * self.growth_percent // 100
        most = max(SMALL, share) + self.released_count
        return max(0, most - self.day_added_count)

    def begin_day(self, base_count: int, now: datetime) -> None:
        self.day_began_at, self.day_base_count = now, base_count
        # What was let in and has not come yet may still come.
        self.released_count = max(0, self.released_count - self.day_added_count)
        self.day_added_count = 0
        self.save(
            update_fields=[
                *("day_began_at", "day_base_count"),
                *("day_added_count", "released_count"),
            ]
        )

    def is_new_day(self, now: datetime) -> bool:
        return self.day_began_at is None or now - self.day_began_at >= _DAY

    def grow(self, count: int) -> None:
        self.day_added_count += count
        self.save(update_fields=["day_added_count"])

    def move(self, place: dict[str, Any]) -> None:
        """Note how far it was read; in quarantine, how far it was read for withdrawals only."""
        name = "ahead" if self.is_quarantined else "at"
        self.checkpoint = {**self.checkpoint, name: place}
        self.save(update_fields=["checkpoint"])

    def quarantine(self, now: datetime) -> None:
        self.quarantined_at = now
        self.save(update_fields=["quarantined_at"])

    def wait_with(self, count: int) -> None:
        self.waiting_count = count
        self.save(update_fields=["waiting_count"])

    def release(self, count: int, now: datetime) -> None:
        """Let ``count`` hashes in beyond the day's growth; reading goes on where it stopped adding."""
        self.released_count = self.day_added_count + count
        self.quarantined_at, self.waiting_count = None, 0
        self.checkpoint = {"at": self.checkpoint.get("at", {})}
        self.next_fetch_at = now
        self.save(
            update_fields=[
                *("released_count", "quarantined_at", "waiting_count"),
                *("checkpoint", "next_fetch_at"),
            ]
        )

    def rest(self, until: datetime) -> None:
        self.next_fetch_at = until
        self.save(update_fields=["next_fetch_at"])

    def switch(self, on: bool, now: datetime) -> None:
        self.is_enabled, self.next_fetch_at = on, now
        self.save(update_fields=["is_enabled", "next_fetch_at"])

    def prove_with(self, credentials_sealed: bytes | None) -> None:
        self.credentials_sealed = credentials_sealed
        self.save(update_fields=["credentials_sealed"])

    def complete(self, at: datetime) -> None:
        self.fetched_at = at
        self.save(update_fields=["fetched_at"])


class FeedFetchQuerySet(WorkQuerySet["FeedFetch"]):
    """Fetches as work: see ``due`` and ``dead``."""


class FeedFetch(Work):
    """One reading of a feed, from where the last one ended, as far as a task's time goes."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="fetches")
    ordered_at = models.DateTimeField(db_index=True)
    added_count = models.PositiveBigIntegerField(default=0)
    withdrawn_count = models.PositiveBigIntegerField(default=0)
    refused_count = models.PositiveBigIntegerField(default=0)

    objects = FeedFetchQuerySet.as_manager()

    class Meta:
        constraints = [
            *work_constraints("feedfetch"),
            models.UniqueConstraint(
                fields=["feed"],
                condition=Q(work_state__in=["WAITING", "RUNNING"]),
                name="feed_fetch_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def hurry(self, now: datetime) -> None:
        """Somebody does not want to wait for the next try."""
        self.next_attempt_at = now
        self.save(update_fields=["next_attempt_at"])

    def count(self, *, added: int = 0, withdrawn: int = 0, refused: int = 0) -> None:
        self.added_count += added
        self.withdrawn_count += withdrawn
        self.refused_count += refused
        self.save(update_fields=["added_count", "withdrawn_count", "refused_count"])
