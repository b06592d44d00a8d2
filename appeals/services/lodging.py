"""Somebody asks us to look again. Their words are sealed before they are stored."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from appeals.models import Appeal
from appeals.services import letters
from moderation import services as moderation
from moderation.errors import Refusal
from moderation.models import AuditEntry, Enforcement, Evidence, Notice
from moderation.storage import open_text, seal_text
from reviews.models import AppealGrant

# The DSA (Art. 20) asks for a timely answer without a number; two weeks is what we promise, and print.
REPLY_WITHIN = timedelta(days=14)
# The picture outlasts the answer by a month, so that a late answer still rests on what was decided about.
_KEPT_AFTER_REPLY = timedelta(days=31)
_PURPOSE = "appeal"


class AlreadyLodged(Refusal):
    """This party has asked about this decision before."""

    code = "already_lodged"

    def __init__(self, appeal: Appeal) -> None:
        super().__init__(_("You already asked about this decision."))
        self.appeal = appeal


class AppealTooLate(Refusal):
    """The time to ask has ended."""

    code = "appeal_too_late"


@transaction.atomic
def lodge(
    *, grant: AppealGrant, ground: str, words: str, language: str, now: datetime
) -> Appeal:
    """Take one party's appeal, say by when it is answered, and tell them so in a notice.

    :raises AlreadyLodged: if this party asked before; the appeal is on the refusal.
    :raises AppealTooLate: if the grant has ended.
    """
    locked = AppealGrant.objects.told().select_for_update(of=("self",))
    grant = locked.get(pk=grant.pk)
    before = Appeal.objects.told().filter(grant=grant).first()
    if before is not None:
        raise AlreadyLodged(before)
    if grant.expires_at <= now:
        raise AppealTooLate(_("The time to ask has ended."))
    decision = grant.decision
    appeal = Appeal.objects.create(
        grant=grant,
        ground=ground,
        words_sealed=seal_text(words, _PURPOSE) if words else None,
        language=language,
        lodged_at=now,
        reply_by=now + REPLY_WITHIN,
        first_reviewer_id=decision.reviewer_id,
        first_approver_id=_approver_id(decision.public_id),
    )
    _keep_picture(appeal)
    AuditEntry.record(actor="appellant", verb="appeal.lodged", target=appeal)
    letter = letters.received(appeal)
    moderation.order_notice(
        content=decision.flag.content,
        kind=Notice.Kind.APPEAL_RECEIVED,
        cause_ref=appeal.receipt,
        language=language,
        subject=letter.subject,
        body=letter.body,
        now=now,
    )
    return appeal


def words_of(appeal: Appeal) -> str:
    """What the appellant wrote; empty if they chose a reason only."""
    if appeal.words_sealed is None:
        return ""
    return open_text(appeal.words_sealed, _PURPOSE)


def _approver_id(decision_ref: str) -> int | None:
    approved = Enforcement.objects.filter(
        cause_ref=decision_ref,
        action=Enforcement.Action.DISABLE_ACCOUNT,
        approved_by__isnull=False,
    )
    return approved.values_list("approved_by", flat=True).first()


def _keep_picture(appeal: Appeal) -> None:
    content = appeal.grant.decision.flag.content
    until = appeal.reply_by + _KEPT_AFTER_REPLY
    # In one statement, so that this face never reads the picture's key.
    kept = Evidence.objects.kept().filter(content=content, expires_at__lt=until)
    kept.update(expires_at=until)
