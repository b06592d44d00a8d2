"""A second look at a decision, by somebody who took no part in it."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from moderation.models import Enforcement, User, token
from reviews.models import AppealGrant, Lease, LeaseQuerySet, Sample


class AppealQuerySet(models.QuerySet["Appeal"]):
    def open(self) -> Self:
        return self.filter(outcome="")

    def overdue(self, now: datetime) -> Self:
        return self.open().filter(reply_by__lt=now)

    def for_reviewer(self, user_id: int) -> Self:
        """Never what this person decided, approved or found right, even if they did after the appeal was lodged."""
        approved = Enforcement.objects.filter(
            cause_ref=OuterRef("grant__decision__public_id"), approved_by_id=user_id
        )
        judged = Sample.objects.filter(
            decision=OuterRef("grant__decision"), judged_by_id=user_id
        )
        return self.exclude(
            Q(first_reviewer_id=user_id) | Q(first_approver_id=user_id)
        ).exclude(Exists(approved) | Exists(judged))

    def unclaimed(self) -> Self:
        active = AppealClaim.objects.active().filter(appeal=OuterRef("pk"))
        return self.exclude(Exists(active))

    def first_due(self) -> Self:
        return self.order_by("reply_by", "pk")

    def told(self) -> Self:
        """As the party may know it; the appeals face's database role may not read the rest."""
        return self.select_related("grant__decision").defer(
            "words_sealed", "grant__decision__private_notes"
        )


class Appeal(models.Model):
    """One party's contest of one decision, with its outcome. The appellant's words are sealed."""

    class Ground(models.TextChoices):
        CONSENT = "CONSENT", _("The person in the image agreed to this post")
        ME = "ME", _("I am the person in the image")
        NOT_INTIMATE = "NOT_INTIMATE", _("It is not an intimate image")
        PUBLIC_VALUE = "PUBLIC_VALUE", _("It is news, medicine, education or art")
        COMPROMISED = "COMPROMISED", _("My account was used by someone else")
        MISTAKEN = "MISTAKEN", _("You mixed it up with something else")
        OTHER = "OTHER", _("Another reason")

    class Outcome(models.TextChoices):
        UPHELD = "UPHELD", _("The decision stays")
        OVERTURNED = "OVERTURNED", _("The decision was changed")

    receipt = models.CharField(max_length=32, unique=True, default=token)
    grant = models.OneToOneField(
        AppealGrant, on_delete=models.PROTECT, related_name="appeal"
    )
    ground = models.CharField(max_length=15, choices=Ground.choices)
    words_sealed = models.BinaryField(null=True)
    language = models.CharField(max_length=12)
    lodged_at = models.DateTimeField()
    reply_by = models.DateTimeField()
    lease_epoch = models.PositiveIntegerField(default=0)
    # Copied from the decision, so that the database itself can refuse the same person.
    # Nobody, if a machine decided.
    first_reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    first_approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    reasoning = models.TextField(blank=True)

    objects = AppealQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(first_reviewer__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(decided_by=F("first_reviewer")),
                name="appeal_not_by_first_reviewer",
            ),
            models.CheckConstraint(
                condition=Q(first_approver__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(decided_by=F("first_approver")),
                name="appeal_not_by_first_approver",
            ),
            models.CheckConstraint(
                condition=Q(
                    outcome="", decided_by__isnull=True, decided_at__isnull=True
                )
                | (
                    Q(outcome__in=["UPHELD", "OVERTURNED"])
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(reasoning="")
                ),
                name="appeal_outcome_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.outcome == ""

    def note_approver(self, user_id: int) -> None:
        self.first_approver_id = user_id
        self.save(update_fields=["first_approver"])

    def decide(self, *, by: User, outcome: str, reasoning: str, at: datetime) -> None:
        self.decided_by = by
        self.decided_at = at
        self.outcome = outcome
        self.reasoning = reasoning
        self.save(update_fields=["decided_by", "decided_at", "outcome", "reasoning"])


class AppealClaim(Lease):
    """A reviewer's lease on an appeal."""

    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="claims")

    objects = LeaseQuerySet["AppealClaim"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["appeal"],
                condition=Q(ended_at__isnull=True),
                name="appeal_claim_one_active_per_appeal",
            ),
            models.UniqueConstraint(
                fields=["reviewer"],
                condition=Q(ended_at__isnull=True),
                name="appeal_claim_one_active_per_reviewer",
            ),
            models.UniqueConstraint(
                fields=["appeal", "epoch"], name="appeal_claim_epoch_once"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
