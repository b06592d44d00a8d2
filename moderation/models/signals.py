"""What the workers saw, and the question they raise for a person."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from moderation.models.banks import BankedHash, HashBank
from moderation.models.content import Content, SignalType
from moderation.models.work import token


class Match(models.Model):
    """A content within the threshold of a banked hash. It outlives the hash: a withdrawal only empties the link.

    ``distance`` and ``threshold`` are bits; for a video, the missing and the allowed share in percent.
    """

    public_id = models.CharField(max_length=32, unique=True, default=token)
    content = models.ForeignKey(
        Content, on_delete=models.CASCADE, related_name="matches"
    )
    bank = models.ForeignKey(HashBank, on_delete=models.PROTECT, related_name="matches")
    banked_hash = models.ForeignKey(
        BankedHash, on_delete=models.SET_NULL, null=True, related_name="matches"
    )
    source_ref = models.CharField(max_length=32, db_index=True)
    signal_type = models.CharField(max_length=10, choices=SignalType.choices)
    distance = models.PositiveSmallIntegerField()
    threshold = models.PositiveSmallIntegerField()
    # Beyond the bank's threshold, or a kind of match that proves little: a question for a person, nothing more.
    only_review = models.BooleanField(default=False)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content", "banked_hash"], name="match_once"
            ),
            models.CheckConstraint(
                condition=Q(distance__lte=models.F("threshold")),
                name="match_within_threshold",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Detection(models.Model):
    """What a classifier saw in a content. A score raises attention; it never removes anything."""

    content = models.ForeignKey(
        Content, on_delete=models.CASCADE, related_name="detections"
    )
    model = models.CharField(max_length=40)
    version = models.CharField(max_length=20)
    label = models.CharField(max_length=40)
    score = models.FloatField()
    detected_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content", "model", "version", "label"], name="detection_once"
            ),
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=1), name="detection_score_0_to_1"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class FlagQuerySet(models.QuerySet["Flag"]):
    def open(self) -> Self:
        return self.filter(resolved_at__isnull=True)

    def overdue(self, now: datetime) -> Self:
        return self.open().filter(due_at__lt=now)

    def first_due(self) -> Self:
        """The order of work: priority, then the clock, then arrival."""
        return self.order_by("-priority", "due_at", "pk")


class Flag(models.Model):
    """An open question about a piece of content, waiting for a human answer."""

    class Source(models.TextChoices):
        HASH_MATCH = "HASH_MATCH", "Hash match"
        DETECTION = "DETECTION", "Detection"
        USER_REPORT = "USER_REPORT", "User report"
        REMOVAL_REQUEST = "REMOVAL_REQUEST", "Removal request"
        SAMPLE = "SAMPLE", "Check of an automatic removal"

    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="flags")
    source = models.CharField(max_length=20, choices=Source.choices)
    # Explained by its parts, as the console shows them: [{"part": "match", "points": 60}, ...]
    priority = models.PositiveSmallIntegerField(default=0)
    priority_parts = models.JSONField(default=list)
    raised_at = models.DateTimeField()
    due_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    # Raised by one with each new piece of evidence; a decision made on an older version is refused.
    version = models.PositiveIntegerField(default=1)
    # The fencing number: plus one with each claim, so that a reviewer who lost the lease can change nothing.
    lease_epoch = models.PositiveIntegerField(default=0)

    objects = FlagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content"],
                condition=Q(resolved_at__isnull=True),
                name="flag_one_open_per_content",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-priority", "due_at"],
                condition=Q(resolved_at__isnull=True),
                name="flag_open_order",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    def resolve(self, at: datetime) -> None:
        self.resolved_at = at
        self.save(update_fields=["resolved_at"])
