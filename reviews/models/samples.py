"""What people say afterwards of what a machine decided."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from moderation.models import Flag, HashBank, User
from reviews.models.decisions import Decision


class SampleQuerySet(models.QuerySet["Sample"]):
    def judged(self) -> Self:
        return self.filter(is_right__isnull=False)

    def about(self, decision: Decision) -> Self:
        """Whether it is the machine's answer, or the person's to the question if that was right."""
        return self.filter(Q(decision=decision) | Q(flag=decision.flag_id))


class Sample(models.Model):
    """What people say of an automatic decision afterwards: because it was drawn, or because it was appealed."""

    decision = models.OneToOneField(
        Decision, on_delete=models.PROTECT, related_name="sample"
    )
    # Whose rule let the machine decide.
    bank = models.ForeignKey(HashBank, on_delete=models.PROTECT, related_name="samples")
    # Of 10,000, worked out from the decision's token: below the share that is looked at, a person is asked.
    draw = models.PositiveSmallIntegerField()
    flag = models.OneToOneField(
        Flag, on_delete=models.PROTECT, null=True, related_name="sample"
    )
    is_right = models.BooleanField(null=True)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    judged_at = models.DateTimeField(null=True, blank=True)

    objects = SampleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(draw__lt=10_000), name="sample_draw_of_10000"
            ),
            models.CheckConstraint(
                condition=Q(
                    is_right__isnull=True,
                    judged_by__isnull=True,
                    judged_at__isnull=True,
                )
                | Q(
                    is_right__isnull=False,
                    judged_by__isnull=False,
                    judged_at__isnull=False,
                ),
                name="sample_judgement_is_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["bank", "-judged_at"],
                condition=Q(is_right__isnull=False),
                name="sample_judged",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def judge(self, *, is_right: bool, by: User, at: datetime) -> None:
        self.is_right, self.judged_by, self.judged_at = is_right, by, at
        self.save(update_fields=["is_right", "judged_by", "judged_at"])
