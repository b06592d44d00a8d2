"""The undoing of what one source of fingerprints caused (playbook 6)."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from moderation.models import token
from reviews.models.decisions import Decision


class RevocationQuerySet(models.QuerySet["Revocation"]):
    def unfinished(self) -> Self:
        return self.filter(done_at__isnull=True)


class Revocation(models.Model):
    """One source, or all of a bank, undone: who decided it, why, and how far it is. Stopped, it goes on from here."""

    class Kind(models.TextChoices):
        SOURCE = "SOURCE", "One source"
        BANK = "BANK", "All of a bank"

    class Reason(models.TextChoices):
        WRONG_PICTURE = "WRONG_PICTURE", "The banked picture itself is wrong"
        BAD_SOURCE = "BAD_SOURCE", "The source cannot be trusted"

    class Stage(models.TextChoices):
        HASHES = "HASHES", "Fingerprints"
        DECISIONS = "DECISIONS", "Decisions"
        QUESTIONS = "QUESTIONS", "Questions and holds"
        COPIES = "COPIES", "Copies that stay"
        DONE = "DONE", "Done"

    public_id = models.CharField(max_length=32, unique=True, default=token)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # A source's opaque reference, or a bank's short name.
    ref = models.CharField(max_length=40)
    reason = models.CharField(max_length=15, choices=Reason.choices)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    begun_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.HASHES)
    # Decisions are gone through until a whole round finds none that falls: each may take the ground of another.
    round = models.PositiveSmallIntegerField(default=0)
    cursor = models.PositiveBigIntegerField(default=0)
    counts = models.JSONField(default=dict)

    objects = RevocationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(decided_by=F("approved_by")),
                name="revocation_takes_two",
            ),
            models.UniqueConstraint(
                fields=["kind", "ref"],
                condition=Q(done_at__isnull=True),
                name="revocation_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(stage="DONE", done_at__isnull=False)
                | (~Q(stage="DONE") & Q(done_at__isnull=True)),
                name="revocation_done_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind}"

    def add(self, counts: dict[str, int]) -> None:
        """Note what was done, in the transaction of the deed."""
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        self.save(update_fields=["counts"])

    def move(self, cursor: int) -> None:
        self.cursor = cursor
        self.save(update_fields=["cursor"])

    def next_round(self) -> None:
        self.round, self.cursor = self.round + 1, 0
        self.save(update_fields=["round", "cursor"])

    def enter(self, stage: Stage, now: datetime) -> None:
        self.stage, self.cursor = stage, 0
        self.done_at = now if stage == self.Stage.DONE else None
        self.save(update_fields=["stage", "cursor", "done_at"])


class Reversal(models.Model):
    """A decision that a revocation took back."""

    revocation = models.ForeignKey(
        Revocation, on_delete=models.PROTECT, related_name="reversals"
    )
    decision = models.OneToOneField(
        Decision, on_delete=models.PROTECT, related_name="reversal"
    )
    round = models.PositiveSmallIntegerField()
    reversed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"#{self.pk}"
