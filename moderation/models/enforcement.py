"""What was ordered, and its state on the platform; what people were told, and whether it arrived."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from moderation.models.content import Content
from moderation.models.partners import Platform, PlatformAccount
from moderation.models.staff import User
from moderation.models.work import Work, WorkQuerySet, token, work_constraints


class EnforcementQuerySet(WorkQuerySet["Enforcement"]):
    def for_approval(self) -> Self:
        return self.filter(work_state=Work.WorkState.HELD_BACK)


class Enforcement(Work):
    """An action that must happen on a platform. The row is the order; a worker carries it out, once and confirmed."""

    class Action(models.TextChoices):
        HOLD = "HOLD", "Hide while a person looks"
        RELEASE = "RELEASE", "Show again"
        REMOVE = "REMOVE", "Remove"
        RESTORE = "RESTORE", "Restore"
        DISABLE_ACCOUNT = "DISABLE_ACCOUNT", "Disable the account"
        ENABLE_ACCOUNT = "ENABLE_ACCOUNT", "Enable the account"

    ACCOUNT_ACTIONS = (Action.DISABLE_ACCOUNT, Action.ENABLE_ACCOUNT)

    public_id = models.CharField(max_length=32, unique=True, default=token)
    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="enforcements"
    )
    account = models.ForeignKey(
        PlatformAccount, on_delete=models.PROTECT, related_name="enforcements"
    )
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, related_name="enforcements"
    )
    action = models.CharField(max_length=20, choices=Action.choices)
    # The decision or match that caused it, as an opaque reference: the ground floor does not know decisions.
    cause_ref = models.CharField(max_length=32, db_index=True)
    ordered_at = models.DateTimeField()
    ordered_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="ordered"
    )
    needs_approval = models.BooleanField(default=False)
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="approved"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    reverses = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversed_by",
    )

    objects = EnforcementQuerySet.as_manager()

    class Meta:
        constraints = [
            *work_constraints("enforcement"),
            models.UniqueConstraint(
                fields=["cause_ref", "action", "content"], name="enforcement_once"
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=F("ordered_by")),
                name="enforcement_approver_is_not_decider",
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(approved_by__isnull=False)
                | Q(work_state__in=["HELD_BACK", "CANCELLED"]),
                name="enforcement_waits_for_approval",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) ^ Q(approved_at__isnull=False),
                name="enforcement_approval_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(work_state__in=["WAITING", "RUNNING"]),
                name="enforcement_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.action}"

    @property
    def is_about_account(self) -> bool:
        return self.action in self.ACCOUNT_ACTIONS


INVERSE = {
    Enforcement.Action.HOLD: Enforcement.Action.RELEASE,
    Enforcement.Action.REMOVE: Enforcement.Action.RESTORE,
    Enforcement.Action.DISABLE_ACCOUNT: Enforcement.Action.ENABLE_ACCOUNT,
}


class NoticeQuerySet(WorkQuerySet["Notice"]):
    """Notices as work: see ``due`` and ``dead``."""


class Notice(Work):
    """What somebody was told, word for word. Sealed, because it carries the way to an appeal."""

    class Kind(models.TextChoices):
        STATEMENT_OF_REASONS = (
            "STATEMENT_OF_REASONS",
            "Statement of reasons (DSA Art. 17)",
        )
        APPEAL_RECEIVED = "APPEAL_RECEIVED", "Appeal received"
        APPEAL_DECIDED = "APPEAL_DECIDED", "Appeal decided"
        DECISION_REVERSED = "DECISION_REVERSED", "We took a decision back"

    public_id = models.CharField(max_length=32, unique=True, default=token)
    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="notices"
    )
    account = models.ForeignKey(
        PlatformAccount, on_delete=models.PROTECT, related_name="notices"
    )
    kind = models.CharField(max_length=30, choices=Kind.choices)
    cause_ref = models.CharField(max_length=32, db_index=True)
    language = models.CharField(max_length=12)
    template_version = models.PositiveSmallIntegerField(default=1)
    text_sealed = models.BinaryField()
    ordered_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            *work_constraints("notice"),
            models.UniqueConstraint(
                fields=["cause_ref", "kind", "account"], name="notice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind}"
