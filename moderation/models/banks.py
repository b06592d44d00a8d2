"""The banks of fingerprints, and the numbered list of their changes."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from moderation.models.content import Content, SignalType
from moderation.models.work import stale


class HashBank(models.Model):
    """A named set of hashes to match against, and what a match with it means."""

    class Kind(models.TextChoices):
        CASES = "CASES", "Fingerprints that people made on their own devices"
        CONFIRMED = "CONFIRMED", "Copies that a reviewer confirmed"
        PARTNER = "PARTNER", "Fingerprints from a partner"

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Meta's recommended PDQ threshold; a wider band only ever goes to a person.
    threshold = models.PositiveSmallIntegerField(default=31)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(threshold__lte=63), name="bank_threshold_at_most_63"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.slug}"


class BankedHashQuerySet(models.QuerySet["BankedHash"]):
    def live(self) -> Self:
        return self.exclude(standing=BankedHash.Standing.REVOKED)

    def unsearched(self, now: datetime) -> Self:
        """The past was not searched for these yet, or by a worker that died over it."""
        free = Q(search_began_at=None) | Q(search_began_at__lt=now - stale())
        return self.live().filter(
            free, signal_type=SignalType.PDQ, searched_at__isnull=True
        )


class BankedHash(models.Model):
    """One fingerprint in a bank. Its value is sealed; where it came from is an opaque reference, never a case."""

    class Standing(models.TextChoices):
        CLAIMED = "CLAIMED", "Claimed: holds at most, never removes"
        CONFIRMED = "CONFIRMED", "Confirmed by a reviewer who saw a match"
        REVOKED = "REVOKED", "Revoked"

    bank = models.ForeignKey(HashBank, on_delete=models.PROTECT, related_name="hashes")
    signal_type = models.CharField(max_length=10, choices=SignalType.choices)
    value_sealed = models.BinaryField()
    value_index = models.CharField(max_length=64, db_index=True)
    quality = models.PositiveSmallIntegerField(null=True)
    source_ref = models.CharField(max_length=32, db_index=True)
    standing = models.CharField(
        max_length=10, choices=Standing.choices, default=Standing.CLAIMED
    )
    recipe = models.CharField(max_length=20)
    added_at = models.DateTimeField()
    # The look back at what was posted before is work too, and this is its state.
    search_began_at = models.DateTimeField(null=True, blank=True)
    searched_at = models.DateTimeField(null=True, blank=True)

    objects = BankedHashQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_ref", "signal_type", "value_index"],
                name="banked_once_per_source",
            ),
            models.CheckConstraint(
                condition=Q(standing__in=["CLAIMED", "CONFIRMED", "REVOKED"]),
                name="banked_standing_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(searched_at__isnull=True),
                name="banked_unsearched",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def begin_search(self, now: datetime) -> bool:
        """Take the look back; false if another worker has it, or it is done (compare-and-set)."""
        free = BankedHash.objects.unsearched(now).filter(pk=self.pk)
        return bool(free.update(search_began_at=now))

    def end_search(self, now: datetime) -> None:
        """No error if it was withdrawn meanwhile."""
        self.searched_at = now
        BankedHash.objects.filter(pk=self.pk).update(searched_at=now)

    def stand(self, standing: Standing) -> None:
        self.standing = standing
        self.save(update_fields=["standing"])


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


class BankCounter(models.Model):
    """The one row whose lock puts all bank changes in commit order, with a count and a checksum of what is live.

    ``checksum`` is the sum modulo 2^64 of a mix of id and hash over the live PDQ rows, as 16 hex characters: a
    process can tell in O(1) whether its copy is whole.
    """

    number = models.PositiveBigIntegerField(default=0)
    live_count = models.PositiveBigIntegerField(default=0)
    checksum = models.CharField(max_length=16, default="0" * 16)

    def __str__(self) -> str:
        return f"#{self.pk}"


class BankChange(models.Model):
    """One change of the banks: ids only, never values, so that a withdrawn fingerprint leaves nothing behind."""

    class Kind(models.TextChoices):
        ADD = "ADD", "Added"
        WITHDRAW = "WITHDRAW", "Withdrawn"

    number = models.PositiveBigIntegerField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    hash_id = models.PositiveBigIntegerField()
    changed_at = models.DateTimeField()

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
