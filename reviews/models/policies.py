"""The published rules that decisions cite."""

from typing import Self

from django.db import models
from django.db.models import Q


class PolicyQuerySet(models.QuerySet["Policy"]):
    def current(self) -> Self:
        return self.filter(is_current=True).order_by("position", "pk")

    def decidable(self) -> Self:
        """What a reviewer may cite alone."""
        return self.current().exclude(outcome=Policy.Outcome.PASSES_ON)


class Policy(models.Model):
    """A published rule that a decision cites. A change is a new version; decisions keep the one they cited."""

    class Outcome(models.TextChoices):
        VIOLATES = "VIOLATES", "Breaks this rule"
        KEEP = "KEEP", "Breaks no rule"
        PASSES_ON = "PASSES_ON", "Somebody else decides"

    slug = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    title = models.CharField(max_length=120)
    public_text = models.TextField()
    guidance = models.TextField(blank=True)
    severity = models.CharField(max_length=10)
    default_actions = models.JSONField(default=list)
    dsa_category = models.CharField(max_length=80, blank=True)
    # A machine may cite it alone, for a copy of what a person found to break it.
    is_automatic = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    published_at = models.DateTimeField(null=True, blank=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(
                fields=["slug", "version"], name="policy_version_once"
            ),
            models.UniqueConstraint(
                fields=["slug"],
                condition=Q(is_current=True),
                name="policy_one_current_version",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.slug} v{self.version}"

    @property
    def removes(self) -> bool:
        return self.outcome == self.Outcome.VIOLATES

    @property
    def closes_account(self) -> bool:
        return self.removes and "account.disable" in self.default_actions

    @property
    def banks_copies(self) -> bool:
        """Each copy that is found makes the next edit of it easier to find."""
        return self.removes and "bank" in self.default_actions
