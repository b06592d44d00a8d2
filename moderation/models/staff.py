"""The people who work here."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A member of staff. What leaves this house about them is the pseudonym, never a name or an address (T-41)."""

    class Role(models.TextChoices):
        REVIEWER = "REVIEWER", "Reviewer"
        SENIOR = "SENIOR", "Senior reviewer"
        LEAD = "LEAD", "Lead"
        AUDITOR = "AUDITOR", "Auditor"

    role = models.CharField(max_length=10, choices=Role.choices, default=Role.REVIEWER)
    pseudonym = models.CharField(max_length=40, unique=True)

    # What createsuperuser asks for beside name and passphrase.
    REQUIRED_FIELDS = ["pseudonym"]

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=["REVIEWER", "SENIOR", "LEAD", "AUDITOR"]),
                name="user_role_known",
            )
        ]

    @property
    def may_review(self) -> bool:
        return self.is_active and self.role in (
            self.Role.REVIEWER,
            self.Role.SENIOR,
            self.Role.LEAD,
        )

    @property
    def is_senior(self) -> bool:
        return self.is_active and self.role in (self.Role.SENIOR, self.Role.LEAD)
