"""What a platform sent: the content, its encrypted picture, its fingerprints."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from moderation.models.partners import Platform, PlatformAccount
from moderation.models.work import Work, WorkQuerySet, token, work_constraints
from moderation.storage import Sealed


class ContentQuerySet(WorkQuerySet["Content"]):
    """Contents as work: see ``due`` and ``dead``."""

    def in_line(self, platform: int) -> Self:
        """A platform's contents that no worker has begun, in the order in which they came."""
        waiting = self.filter(platform=platform, work_state=Work.WorkState.WAITING)
        return waiting.order_by("pk")


class Content(Work):
    """One thing on a platform that can be judged. As work, it is the check that every content goes through."""

    class Kind(models.TextChoices):
        PHOTO = "PHOTO", "Photo"
        VIDEO = "VIDEO", "Video"

    class Visibility(models.TextChoices):
        VISIBLE = "VISIBLE", "Visible"
        HELD = "HELD", "Hidden while a person looks"
        REMOVED = "REMOVED", "Removed"
        DELETED = "DELETED", "Deleted by the account"

    public_id = models.CharField(max_length=32, unique=True, default=token)
    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="contents"
    )
    account = models.ForeignKey(
        PlatformAccount, on_delete=models.PROTECT, related_name="contents"
    )
    external_id = models.CharField(max_length=200)
    # HMAC of the request: the same external id with another body is a conflict, with the same body an answer.
    body_index = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PHOTO)
    caption = models.TextField(blank=True)
    posted_at = models.DateTimeField()
    received_at = models.DateTimeField()
    # What the platform has confirmed, not what we ordered.
    visibility = models.CharField(
        max_length=10, choices=Visibility.choices, default=Visibility.VISIBLE
    )
    refused_code = models.CharField(max_length=40, blank=True)

    objects = ContentQuerySet.as_manager()

    class Meta:
        constraints = [
            *work_constraints("content"),
            models.UniqueConstraint(
                fields=["platform", "external_id"], name="content_once_per_platform"
            ),
            models.CheckConstraint(
                condition=Q(visibility__in=["VISIBLE", "HELD", "REMOVED", "DELETED"]),
                name="content_visibility_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["platform", "id"],
                condition=Q(work_state__in=["WAITING", "RUNNING"]),
                name="content_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_checked(self) -> bool:
        return self.work_state == self.WorkState.DONE

    def see(self, visibility: str) -> None:
        """Note what the platform confirmed."""
        self.visibility = visibility
        self.save(update_fields=["visibility"])

    def refuse(self, code: str) -> None:
        self.refused_code = code[:40]
        self.save(update_fields=["refused_code"])


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    def kept(self) -> Self:
        return self.filter(destroyed_at__isnull=True)

    def expired(self, now: datetime) -> Self:
        return self.kept().filter(expires_at__lte=now)


class Evidence(models.Model):
    """The picture of a content, as ciphertext in the storage. Without its wrapped key it is gone."""

    content = models.OneToOneField(
        Content, on_delete=models.PROTECT, related_name="evidence"
    )
    name = models.CharField(max_length=100)
    wrapped_key = models.BinaryField(null=True)
    key_version = models.PositiveSmallIntegerField()
    size = models.PositiveIntegerField()
    stored_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True, blank=True)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(wrapped_key__isnull=True) ^ Q(destroyed_at__isnull=True),
                name="evidence_destroyed_has_no_key",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def sealed(self) -> Sealed:
        return Sealed(self.name, bytes(self.wrapped_key or b""), self.key_version)

    def keep(self, until: datetime) -> None:
        self.expires_at = until
        self.save(update_fields=["expires_at"])

    def shred(self, now: datetime) -> None:
        """Forget the key: whatever copies of the ciphertext exist can never be opened again."""
        self.wrapped_key = None
        self.destroyed_at = now
        self.save(update_fields=["wrapped_key", "destroyed_at"])


class SignalType(models.TextChoices):
    PDQ = "pdq", "PDQ"
    SHA256 = "sha256", "SHA-256"
    MD5 = "md5", "MD5"
    PHASH = "phash", "pHash"
    VPDQ = "vpdq", "vPDQ"


class Fingerprint(models.Model):
    """A fingerprint of sent content, kept for the look back at what was posted before. Sealed like the bank."""

    content = models.ForeignKey(
        Content, on_delete=models.CASCADE, related_name="fingerprints"
    )
    signal_type = models.CharField(max_length=10, choices=SignalType.choices)
    value_sealed = models.BinaryField()
    value_index = models.CharField(max_length=64, db_index=True)
    quality = models.PositiveSmallIntegerField(null=True)
    recipe = models.CharField(max_length=20)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content", "signal_type", "recipe"],
                name="fingerprint_once_per_recipe",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
