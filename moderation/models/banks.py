"""The banks of fingerprints, and the numbered list of their changes."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from moderation.models.content import Content, SignalType
from moderation.models.partners import Platform
from moderation.models.staff import User
from moderation.models.work import token


class HashBank(models.Model):
    """A named set of hashes to match against, and what a match with it means."""

    class Kind(models.TextChoices):
        CASES = "CASES", "Fingerprints that people made on their own devices"
        CONFIRMED = "CONFIRMED", "Copies that a reviewer confirmed"
        PARTNER = "PARTNER", "Fingerprints from a partner"
        GUARD = "GUARD", "Pictures that nobody may ban: logos, blanks, famous pictures"

    class Automatic(models.TextChoices):
        HOLD = "HOLD", "Hide while a person looks"
        REMOVE = "REMOVE", "Remove near copies of what a reviewer confirmed"

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Whose it is to change through the API; nobody's for the banks of this house.
    owner = models.ForeignKey(
        Platform, on_delete=models.PROTECT, null=True, blank=True, related_name="banks"
    )
    # Meta's recommended PDQ threshold; what lies beyond, up to the second one, only ever goes to a person.
    threshold = models.PositiveSmallIntegerField(default=31)
    review_threshold = models.PositiveSmallIntegerField(default=47)
    # The most that a match may cause before a person has looked.
    automatic = models.CharField(
        max_length=10, choices=Automatic.choices, default=Automatic.HOLD
    )
    # Who allowed more than to hold, and since when the rule is as it is: it takes two people (T-20).
    automatic_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    automatic_approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    automatic_since = models.DateTimeField(null=True, blank=True)
    is_enabled = models.BooleanField(default=True)
    # The share of pictures that are compared with it; the same picture always gets the same answer.
    enabled_percent = models.PositiveSmallIntegerField(default=100)
    created_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(threshold__lte=31), name="bank_threshold_at_most_31"
            ),
            models.CheckConstraint(
                condition=Q(review_threshold__lte=63)
                & Q(review_threshold__gte=models.F("threshold")),
                name="bank_review_band_up_to_63",
            ),
            models.CheckConstraint(
                condition=Q(enabled_percent__lte=100), name="bank_percent_at_most_100"
            ),
            models.CheckConstraint(
                condition=Q(automatic__in=["HOLD", "REMOVE"]),
                name="bank_automatic_known",
            ),
            models.CheckConstraint(
                condition=Q(automatic="HOLD")
                | (
                    Q(automatic_by__isnull=False)
                    & Q(automatic_approved_by__isnull=False)
                    & Q(automatic_since__isnull=False)
                    & ~Q(automatic_by=models.F("automatic_approved_by"))
                    & ~Q(kind="GUARD")
                ),
                name="bank_removal_takes_two",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.slug}"

    def allow_removal(self, by: User, approved_by: User, at: datetime) -> None:
        self.automatic = self.Automatic.REMOVE
        self.automatic_by, self.automatic_approved_by = by, approved_by
        self._ruled(at)

    def hold_only(self, at: datetime) -> None:
        self.automatic = self.Automatic.HOLD
        self.automatic_by = self.automatic_approved_by = None
        self._ruled(at)

    def _ruled(self, at: datetime) -> None:
        self.automatic_since = at
        self.save(
            update_fields=[
                "automatic",
                "automatic_by",
                "automatic_approved_by",
                "automatic_since",
            ]
        )


class BankedHashQuerySet(models.QuerySet["BankedHash"]):
    def live(self) -> Self:
        return self.exclude(standing=BankedHash.Standing.REVOKED)

    def asking(self, now: datetime) -> Self:
        """Those that a picture may match now: live, in an enabled bank, not paused, and not left without its cause."""
        awake = Q(disabled_until=None) | Q(disabled_until__lte=now)
        parents = HashParent.objects.filter(child=models.OuterRef("pk"))
        caused = Q(is_derived=False) | models.Exists(parents)
        return self.live().filter(awake, caused, bank__is_enabled=True)

    def orphans(self) -> Self:
        """Banked because of fingerprints of which none is left."""
        parents = HashParent.objects.filter(child=models.OuterRef("pk"))
        return self.filter(~models.Exists(parents), is_derived=True)

    def unsearched(self) -> Self:
        """The past was not searched for these yet, and no search has them."""
        return self.live().filter(searched_at__isnull=True, look_back__isnull=True)


class BankedHash(models.Model):
    """One fingerprint in a bank. Its value is sealed; where it came from is an opaque reference, never a case."""

    class Standing(models.TextChoices):
        CLAIMED = "CLAIMED", "Claimed: holds at most, never removes"
        CONFIRMED = "CONFIRMED", "Confirmed by a reviewer who saw a match"
        REVOKED = "REVOKED", "Revoked"

    class Parked(models.TextChoices):
        WIDELY_SEEN = "WIDELY_SEEN", "Found in too many places to be a private picture"
        GUARD = "GUARD", "Too near to a picture that nobody may ban"

    # What the owner of the bank and the operator's own services call it.
    public_id = models.CharField(max_length=32, default=token)
    bank = models.ForeignKey(HashBank, on_delete=models.PROTECT, related_name="hashes")
    signal_type = models.CharField(max_length=10, choices=SignalType.choices)
    # 32 bytes of PDQ; 8 of pHash; 32 for each frame of a video; the digest of a file.
    value_sealed = models.BinaryField()
    value_index = models.CharField(max_length=64)
    # The number of the change that added it, and its name in memory; null for what is only looked up by its index.
    number = models.PositiveBigIntegerField(unique=True, null=True)
    # What this row adds to the checksum of the banks, and how many entries it has in memory. The checksum is keyed:
    # it says nothing of the value, so that a face that may not read values can still take a row out.
    mark = models.CharField(max_length=16, default="0" * 16)
    entry_count = models.PositiveSmallIntegerField(default=0)
    quality = models.PositiveSmallIntegerField(null=True)
    source_ref = models.CharField(max_length=32)
    standing = models.CharField(
        max_length=10, choices=Standing.choices, default=Standing.CLAIMED
    )
    recipe = models.CharField(max_length=20)
    # Banked because its picture matched another one (``HashParent``): it matches nothing once none of those is left.
    is_derived = models.BooleanField(default=False)
    added_at = models.DateTimeField()
    disabled_until = models.DateTimeField(null=True, blank=True)
    # Parked or demoted, a match only ever goes to a person, and hides nothing meanwhile.
    parked_why = models.CharField(max_length=12, choices=Parked.choices, blank=True)
    demoted_at = models.DateTimeField(null=True, blank=True)
    # The look back at what was posted before is work too, and this is its state.
    look_back = models.ForeignKey(
        "LookBack",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="hashes",
    )
    searched_at = models.DateTimeField(null=True, blank=True)

    objects = BankedHashQuerySet.as_manager()

    class Meta:
        constraints = [
            # Not ``unique=True``, nor ``db_index``: on PostgreSQL each would bring a second B-tree, for LIKE.
            models.UniqueConstraint(fields=["public_id"], name="banked_public_id"),
            # The index first: one B-tree finds a value and keeps it once for each source.
            models.UniqueConstraint(
                fields=["value_index", "source_ref", "signal_type"],
                name="banked_once_per_source",
            ),
            models.CheckConstraint(
                condition=Q(standing__in=["CLAIMED", "CONFIRMED", "REVOKED"]),
                name="banked_standing_known",
            ),
            models.CheckConstraint(
                condition=Q(parked_why__in=["", "WIDELY_SEEN", "GUARD"]),
                name="banked_parked_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(searched_at__isnull=True),
                name="banked_unsearched",
            ),
            models.Index(fields=["source_ref"], name="banked_source"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def only_reviewed(self) -> bool:
        """Doubtful: a match with it raises a question and hides nothing."""
        return bool(self.parked_why) or self.demoted_at is not None

    def stand(self, standing: Standing) -> None:
        self.standing = standing
        self.save(update_fields=["standing"])

    def park(self, why: Parked) -> None:
        self.parked_why = why
        self.save(update_fields=["parked_why"])

    def demote(self, at: datetime | None) -> None:
        self.demoted_at = at
        self.save(update_fields=["demoted_at"])

    def pause(self, until: datetime | None) -> None:
        self.disabled_until = until
        self.save(update_fields=["disabled_until"])


class HashParent(models.Model):
    """A fingerprint that was banked because its picture matched another one: it falls with the last of those."""

    child = models.ForeignKey(
        BankedHash, on_delete=models.CASCADE, related_name="parents"
    )
    parent = models.ForeignKey(
        BankedHash, on_delete=models.CASCADE, related_name="children"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["child", "parent"], name="parent_once_per_child"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class HashConfirmation(models.Model):
    """One decision's word that a fingerprint is right. A hash is CONFIRMED while one of these stands."""

    banked_hash = models.ForeignKey(
        BankedHash, on_delete=models.CASCADE, related_name="confirmations"
    )
    cause_ref = models.CharField(max_length=32, db_index=True)
    confirmed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["banked_hash", "cause_ref"], name="confirmed_once_per_decision"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class HashOpinion(models.Model):
    """A platform's word on a fingerprint that it was matched with: right, or wrong. The last word of each counts."""

    banked_hash = models.ForeignKey(
        BankedHash, on_delete=models.CASCADE, related_name="opinions"
    )
    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="opinions"
    )
    is_right = models.BooleanField()
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["banked_hash", "platform"], name="opinion_once_per_platform"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class BankCounter(models.Model):
    """The one row whose lock puts all bank changes in commit order, with a count and a checksum of what is live.

    ``checksum`` is the sum modulo 2^64 of ``BankedHash.mark`` over the live rows and ``live_count`` that of
    ``entry_count``: a process can tell in O(1) whether its copy is whole.
    """

    number = models.PositiveBigIntegerField(default=0)
    live_count = models.PositiveBigIntegerField(default=0)
    checksum = models.CharField(max_length=16, default="0" * 16)

    def __str__(self) -> str:
        return f"#{self.pk}"

    def keep(self, total: int) -> None:
        """Note number and count as they are now, and the sum of the marks."""
        self.checksum = f"{total % 2**64:016x}"
        self.save(update_fields=["number", "live_count", "checksum"])


class BankWithdrawal(models.Model):
    """A number of the banks that took a fingerprint out: numbers only, so that a withdrawn one leaves nothing behind.

    What was added needs no such row: the fingerprint bears its number itself.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    hash_number = models.PositiveBigIntegerField()
    entry_count = models.PositiveSmallIntegerField()
    withdrawn_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"#{self.number}"


class HashException(models.Model):
    """A content that a reviewer found to be in order: its own fingerprint no longer counts as a match of that hash.

    It excepts this content and its identical copies (equal SHA-256 or, after an appeal, PDQ within 4 bits), nothing
    else: the banked fingerprint stays (T-20).
    """

    banked_hash = models.ForeignKey(
        BankedHash, on_delete=models.CASCADE, related_name="exceptions"
    )
    content = models.ForeignKey(
        Content, on_delete=models.CASCADE, related_name="exceptions"
    )
    pdq_sealed = models.BinaryField(null=True)
    sha256_index = models.CharField(max_length=64)
    reason_ref = models.CharField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["banked_hash", "content"], name="exception_once"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def widen(self, pdq_sealed: bytes) -> None:
        """From the very file to whatever is within 4 bits of it."""
        self.pdq_sealed = pdq_sealed
        self.save(update_fields=["pdq_sealed"])
