"""What is shared with whom, and what is fetched from where: lists of fingerprints that partners exchange."""

import math
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from moderation.models.banks import HashBank
from moderation.models.content import SignalType
from moderation.models.partners import ApiKey, Platform
from moderation.models.work import Work, WorkQuerySet, token, work_constraints


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
    def tick(cls, now: datetime) -> int:
        """The second of a change, for the rest of the transaction: whoever changes a list next waits for its end."""
        clock = cls._locked()
        clock.second = max(clock.second + 2, even_second(now.timestamp()))
        clock.save(update_fields=["second"])
        return clock.second

    @classmethod
    def close(cls, second: int) -> None:
        """From here on no change gets this second or an earlier one, and all that have one can be read."""
        clock = cls._locked()
        if clock.second < second:
            clock.second = even_second(second)
            clock.save(update_fields=["second"])

    @classmethod
    def read(cls) -> int:
        """The last second that a committed change has."""
        row = cls.objects.filter(pk=1).first()
        return row.second if row else 0

    @classmethod
    def _locked(cls) -> Self:
        cls.objects.get_or_create(pk=1)
        return cls.objects.select_for_update().get(pk=1)


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


class FeedQuerySet(WorkQuerySet["Feed"]):
    """Feeds as work: see ``due`` and ``dead``."""


class Feed(Work):
    """A partner's list that is fetched into a bank of its own. As work, it is the next fetch (T-27)."""

    class Kind(models.TextChoices):
        STOPNCII = "STOPNCII", "StopNCII"
        NCMEC = "NCMEC", "NCMEC hash sharing"
        FILE = "FILE", "A file of the operator"

    slug = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    bank = models.OneToOneField(HashBank, on_delete=models.PROTECT, related_name="feed")
    address = models.CharField(max_length=300, blank=True)
    credentials_sealed = models.BinaryField(null=True)
    checkpoint = models.JSONField(default=dict)
    is_enabled = models.BooleanField(default=True)
    # More growth than this in one fetch is set aside for a person to look at.
    growth_percent = models.PositiveSmallIntegerField(default=20)
    quarantined_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    fetched_count = models.PositiveBigIntegerField(default=0)

    objects = FeedQuerySet.as_manager()

    class Meta:
        constraints = [
            *work_constraints("feed"),
            models.CheckConstraint(
                condition=Q(kind__in=["STOPNCII", "NCMEC", "FILE"]),
                name="feed_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.slug}"


class FeedRecord(models.Model):
    """A partner's own key of a record, and the source under which its hash was banked: how a withdrawal finds it."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="records")
    # HMAC of the partner's key: with StopNCII it is the hash itself.
    key_index = models.CharField(max_length=64)
    source_ref = models.CharField(max_length=32, db_index=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["feed", "key_index"], name="feed_record_once"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


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
