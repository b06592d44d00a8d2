"""What is shared with whom: the lists of fingerprints that partners read."""

import math
from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.db.models import Q

from moderation.models.content import SignalType
from moderation.models.partners import ApiKey, Platform
from moderation.models.work import token


class Share(models.Model):
    """Leave to give the fingerprints of one source to one partner: opt-in, per source and partner (T-25)."""

    source_ref = models.CharField(max_length=32, db_index=True)
    partner = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="shares"
    )
    shared_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_ref", "partner"], name="shared_once_per_partner"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ListedHashQuerySet(models.QuerySet["ListedHash"]):
    def active(self) -> Self:
        return self.filter(withdrawn_at__isnull=True)


class ListedHash(models.Model):
    """One line of the list that a partner reads: all sources of an equal value are merged into it.

    A withdrawn line stays, sealed, until its partner has read that it was withdrawn, 30 days at most (T-26). Nobody
    who could not have seen it live is ever shown it.
    """

    partner = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="listed"
    )
    # Random for each partner, so that two of them cannot tell that they hold the same one (T-17).
    public_id = models.CharField(max_length=32, unique=True, default=token)
    signal_type = models.CharField(max_length=10, choices=SignalType.choices)
    value_sealed = models.BinaryField()
    value_index = models.CharField(max_length=64)
    is_confirmed = models.BooleanField(default=False)
    # A hash of nothing, planted to learn who leaks the list (T-25).
    is_canary = models.BooleanField(default=False)
    # Seconds since 1970, of the ListClock: greater than those of any line that was committed before.
    listed_second = models.PositiveBigIntegerField()
    changed_second = models.PositiveBigIntegerField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ListedHashQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "signal_type", "value_index"],
                name="listed_once_per_partner",
            )
        ]
        indexes = [
            models.Index(
                fields=["partner", "changed_second", "public_id"],
                name="listed_in_order",
            ),
            # So that asking whether something is a canary costs nothing.
            models.Index(
                fields=["value_index"],
                condition=Q(is_canary=True),
                name="listed_canaries",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def stand(self, *, is_confirmed: bool, second: int) -> None:
        self.is_confirmed, self.changed_second = is_confirmed, second
        self.withdrawn_at = None
        self.save(update_fields=["is_confirmed", "changed_second", "withdrawn_at"])

    def withdraw(self, *, second: int, at: datetime) -> None:
        self.is_confirmed, self.changed_second = False, second
        self.withdrawn_at = at
        self.save(update_fields=["is_confirmed", "changed_second", "withdrawn_at"])


class ListedSourceQuerySet(models.QuerySet["ListedSource"]):
    def active(self) -> Self:
        return self.filter(withdrawn_second__isnull=True)


class ListedSource(models.Model):
    """Why a line is on a list: it stays while one of these does. Withdrawn, it stays as long as a withdrawn line."""

    listed = models.ForeignKey(
        ListedHash, on_delete=models.CASCADE, related_name="sources"
    )
    source_ref = models.CharField(max_length=32, db_index=True)
    # What the partner reads in place of a case number: random, for this line alone.
    public_id = models.CharField(max_length=32, default=token)
    withdrawn_second = models.PositiveBigIntegerField(null=True, blank=True)

    objects = ListedSourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["listed", "source_ref"], name="listed_source_once"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def withdraw(self, second: int | None) -> None:
        self.withdrawn_second = second
        self.save(update_fields=["withdrawn_second"])


class ListClock(models.Model):
    """The one row whose lock puts all changes of the lists in the order of their seconds.

    Each change gets a second of its own, in commit order and always even, so that a reader's place in the list is never
    between two lines of which one could still come: an even second is a place within a list (its lines may have been
    read in part), the odd one after it says that they were all read. In a burst the seconds run ahead of the clock.
    """

    second = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"#{self.pk}"

    @classmethod
    def lock(cls) -> Self:
        """Nobody else changes a list until the transaction ends. A deed's last lock, after those of the banks."""
        cls.objects.get_or_create(pk=1)
        return cls.objects.select_for_update().get(pk=1)

    @classmethod
    def tick(cls, now: datetime) -> int:
        """The second of a change. Whoever changes a list next waits for the end of this transaction."""
        clock = cls.lock()
        clock.second = max(clock.second + 2, even_second(now.timestamp()))
        clock.save(update_fields=["second"])
        return clock.second

    @classmethod
    def close(cls, second: int) -> None:
        """From here on no change gets this second or an earlier one, and all that have one can be read."""
        if cls.objects.filter(pk=1, second__gte=second).exists():
            return
        with transaction.atomic():
            clock = cls.lock()
            if clock.second < second:
                clock.second = even_second(second)
                clock.save(update_fields=["second"])


def even_second(timestamp: float) -> int:
    return 2 * math.ceil(timestamp / 2)


class ListReading(models.Model):
    """How far each partner has read its list: what it has surely seen, and may be forgotten."""

    partner = models.OneToOneField(
        Platform, on_delete=models.CASCADE, primary_key=True, related_name="reading"
    )
    # It asked to go on from here, so it has everything before.
    read_second = models.PositiveBigIntegerField(default=0)
    read_at = models.DateTimeField()
    # Where it is in a list that it has not read to the end: a client that breaks off comes back with the second only.
    place = models.CharField(max_length=100, blank=True)
    # How far its clock is from UTC: some clients call their local time UTC.
    zone_seconds = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"#{self.pk}"

    def note(self, at: datetime) -> None:
        self.read_at = at
        self.save(update_fields=["read_second", "read_at", "place", "zone_seconds"])


class IdempotentCall(models.Model):
    """A call that carried an ``Idempotency-Key``: the same call again gets the same answer and does nothing (T-31)."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="calls")
    name_index = models.CharField(max_length=64)
    body_index = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    called_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "name_index"], name="idempotent_once_per_key"
            )
        ]
        indexes = [models.Index(fields=["called_at"], name="idempotent_called")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def answered(self, status: int, answer: object, at: datetime) -> None:
        self.status, self.answer, self.called_at = status, answer, at
        self.save(update_fields=["status", "answer", "called_at"])
