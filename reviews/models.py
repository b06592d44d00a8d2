"""The reviewer's desk: policies, claims, looks and decisions."""

from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from moderation.models import Content, Flag, HashBank, User, token


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


LeaseT = TypeVar("LeaseT", bound="Lease")


class LeaseQuerySet(models.QuerySet[LeaseT]):
    """Pass ``Now()``, so that the database's clock decides and not that of one of many web servers."""

    def active(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def live(self, now: datetime | Now) -> Self:
        return self.active().filter(expires_at__gt=now, hard_expires_at__gt=now)

    def expired(self, now: datetime | Now) -> Self:
        return self.active().filter(
            Q(expires_at__lte=now) | Q(hard_expires_at__lte=now)
        )


class Lease(models.Model):
    """The right to answer one question for a while. Token and epoch are checked again when the answer comes."""

    class Ended(models.TextChoices):
        DECIDED = "DECIDED", "Decided"
        RELEASED = "RELEASED", "Given back"
        EXPIRED = "EXPIRED", "Ran out"

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    token = models.CharField(max_length=32, unique=True, default=token)
    epoch = models.PositiveIntegerField()
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    hard_expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, choices=Ended.choices, blank=True)

    class Meta:
        abstract = True

    def is_live(self, now: datetime) -> bool:
        return (
            self.ended_at is None
            and now < self.expires_at
            and now < self.hard_expires_at
        )


class ClaimQuerySet(LeaseQuerySet["Claim"]):
    """The leases on flags."""


class Claim(Lease):
    """A reviewer's lease on a flag."""

    flag = models.ForeignKey(Flag, on_delete=models.PROTECT, related_name="claims")

    objects = ClaimQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["flag"],
                condition=Q(ended_at__isnull=True),
                name="claim_one_active_per_flag",
            ),
            models.UniqueConstraint(
                fields=["reviewer"],
                condition=Q(ended_at__isnull=True),
                name="claim_one_active_per_reviewer",
            ),
            models.UniqueConstraint(fields=["flag", "epoch"], name="claim_epoch_once"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class RevealQuerySet(models.QuerySet["Reveal"]):
    def on_day_of(self, now: datetime) -> Self:
        midnight = now.astimezone(UTC).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return self.filter(
            revealed_at__gte=midnight, revealed_at__lt=midnight + timedelta(days=1)
        )


class Reveal(models.Model):
    """That a reviewer looked, committed before the first byte leaves (T-35). No URL, no hash."""

    class Derivative(models.TextChoices):
        GREY = "GREY", "Grey"
        COLOUR = "COLOUR", "In colour"

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reveals"
    )
    content = models.ForeignKey(
        Content, on_delete=models.PROTECT, related_name="reveals"
    )
    derivative = models.CharField(max_length=10, choices=Derivative.choices)
    # The lease that gave the right to look: of a claim here, or of an appeal upstairs.
    lease_token = models.CharField(max_length=32, db_index=True)
    revealed_at = models.DateTimeField()
    # The link was used: it never works again.
    served_at = models.DateTimeField(null=True, blank=True)

    objects = RevealQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(derivative__in=["GREY", "COLOUR"]),
                name="reveal_derivative_known",
            )
        ]
        indexes = [
            models.Index(
                fields=["reviewer", "revealed_at"], name="reveal_by_reviewer_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


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
