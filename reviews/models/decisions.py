"""The answers, and the right to have them looked at again."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from moderation.models import Flag, token
from reviews.models.policies import Policy


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self) -> Self:
        return self.filter(overturned_at__isnull=True)

    def by_people(self) -> Self:
        return self.filter(is_automatic=False)


class Decision(models.Model):
    """An answer, for good. What it orders stands in enforcements; what overturns it is another row.

    A machine answers only for near copies of what a person decided before, and never closes an account (T-21).
    """

    public_id = models.CharField(max_length=32, unique=True, default=token)
    flag = models.OneToOneField(Flag, on_delete=models.PROTECT, related_name="decision")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="decisions",
    )
    is_automatic = models.BooleanField(default=False)
    policy = models.ForeignKey(
        Policy, on_delete=models.PROTECT, related_name="decisions"
    )
    removes = models.BooleanField()
    disables_account = models.BooleanField()
    facts = models.TextField()
    reasoning = models.TextField()
    private_notes = models.TextField(blank=True)
    found_by_machine = models.BooleanField()
    decided_at = models.DateTimeField()
    overturned_at = models.DateTimeField(null=True, blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_automatic=False, reviewer__isnull=False)
                | Q(
                    is_automatic=True,
                    reviewer__isnull=True,
                    removes=True,
                    disables_account=False,
                    found_by_machine=True,
                ),
                name="decision_by_a_person_or_only_removes",
            ),
            models.CheckConstraint(
                condition=Q(disables_account=False) | Q(removes=True),
                name="decision_disabling_needs_removal",
            ),
            models.CheckConstraint(
                condition=~Q(facts="") & ~Q(reasoning=""), name="decision_gives_reasons"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def overturn(self, at: datetime) -> None:
        self.overturned_at = at
        self.save(update_fields=["overturned_at"])


class GrantQuerySet(models.QuerySet["AppealGrant"]):
    def live(self, now: datetime) -> Self:
        return self.filter(expires_at__gt=now)

    def told(self) -> Self:
        """With all that a party is told, and without what the appeals face's database role may not read (T-16)."""
        return self.select_related(
            "decision__policy",
            "decision__flag__content__platform",
            "decision__flag__content__account",
        ).defer(
            "decision__private_notes",
            "decision__policy__guidance",
            "decision__flag__source",
            "decision__flag__priority",
            "decision__flag__priority_parts",
            "decision__flag__content__caption",
            "decision__flag__content__body_index",
        )


class AppealGrant(models.Model):
    """One party's right to a second look at one decision, made with the decision. Only the token's hash is kept."""

    class Party(models.TextChoices):
        UPLOADER = "UPLOADER", "The account that posted"

    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="grants"
    )
    party = models.CharField(max_length=10, choices=Party.choices)
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "party"], name="grant_once_per_party"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
