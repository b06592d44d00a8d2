"""Content comes in: the row and its encrypted picture, once for each (platform, external id)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction

from moderation import tasks
from moderation.errors import Refusal
from moderation.media import MediaRefused, recognise
from moderation.media.limits import VIDEO_KINDS
from moderation.models import AuditEntry, Content, Evidence, Platform, PlatformAccount
from moderation.storage import Sealed, blind_index, destroy, store_file


class ExternalIdTaken(Refusal):
    """The platform sent another content under an external id that it has used before."""

    code = "external_id_taken"


class MediaMissing(Refusal):
    """There is no picture in the submission."""

    code = "media_missing"
    status = 400  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Submission:
    """What a platform says about one content, and its picture's bytes."""

    external_id: str
    account_id: str
    picture: bytes
    posted_at: datetime | None = None
    caption: str = ""
    language: str = "en"

    def index(self) -> str:
        """An HMAC over everything that was said, to tell a repeat from a conflict."""
        whole = hashlib.sha256()
        said = (
            self.external_id,
            self.account_id,
            self.caption,
            self.language,
            self.posted_at.isoformat() if self.posted_at else "",
        )
        for part in (*(text.encode() for text in said), self.picture):
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
        return blind_index(whole.digest(), "submission")


def receive_content(
    *, platform: Platform, submission: Submission, now: datetime
) -> tuple[Content, bool]:
    """Keep a content and have it checked. The same submission again gives the same row, and False.

    :raises MediaMissing: if the picture has no bytes.
    :raises ExternalIdTaken: if the external id was used for something else.
    """
    if not submission.picture:
        raise MediaMissing("The field media is empty. Send the picture's bytes.")
    index = submission.index()
    known = _known(platform, submission, index)
    if known:
        return known, False
    sealed = store_file(submission.picture)
    try:
        content = _written(platform, submission, index, sealed, now)
    except IntegrityError:
        # Another request for the same external id was faster; ours leaves nothing behind.
        destroy(sealed.name)
        known = _known(platform, submission, index)
        if known is None:
            raise
        return known, False
    except BaseException:
        # Stopped after the commit (a time limit, while the bell rang), the row stands and needs its picture.
        if not Evidence.objects.filter(name=sealed.name).exists():
            destroy(sealed.name)
        raise
    return content, True


def _kind_of(data: bytes) -> Content.Kind:
    """By how it begins; what is neither is refused, with a reason, when it is checked."""
    try:
        is_video = recognise(data) in VIDEO_KINDS
    except MediaRefused:
        is_video = False
    return Content.Kind.VIDEO if is_video else Content.Kind.PHOTO


def _known(platform: Platform, submission: Submission, index: str) -> Content | None:
    content = Content.objects.filter(
        platform=platform, external_id=submission.external_id
    ).first()
    if content and content.body_index != index:
        raise ExternalIdTaken(
            "This external_id was used before with another body. Use a new external_id."
        )
    return content


@transaction.atomic
def _written(
    platform: Platform,
    submission: Submission,
    index: str,
    sealed: Sealed,
    now: datetime,
) -> Content:
    account, _ = PlatformAccount.objects.get_or_create(
        platform=platform,
        external_id=submission.account_id,
        defaults={"first_seen_at": now, "language": submission.language},
    )
    content = Content.objects.create(
        platform=platform,
        account=account,
        external_id=submission.external_id,
        body_index=index,
        kind=_kind_of(submission.picture),
        caption=submission.caption,
        posted_at=submission.posted_at or now,
        received_at=now,
        next_attempt_at=now,
    )
    Evidence.objects.create(
        content=content,
        name=sealed.name,
        wrapped_key=sealed.wrapped_key,
        key_version=sealed.key_version,
        size=len(submission.picture),
        stored_at=now,
        expires_at=now + timedelta(hours=settings.UNFLAGGED_EVIDENCE_HOURS),
    )
    AuditEntry.record(
        actor=f"platform:{platform.pk}", verb="content.received", target=content
    )
    transaction.on_commit(partial(tasks.ring_for_check, content))
    return content
