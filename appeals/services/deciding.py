"""The answer to an appeal, and everything that follows from it, in one transaction."""

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from appeals.models import Appeal, AppealClaim
from appeals.services import letters
from moderation import services as moderation
from moderation.errors import Refusal
from moderation.models import AuditEntry, Content, Enforcement, Notice, User, Work
from reviews.models import Decision, Sample
from reviews.services import (
    LeaseLost,
    MayNotReview,
    answers_to,
    judge,
    lock_question,
    overturn,
)


class AppealDecided(Refusal):
    """Somebody answered this appeal first."""

    code = "appeal_decided"


class TookPartBefore(Refusal):
    """Whoever decided or approved the first time does not look a second time."""

    code = "took_part_before"


class AlreadyTakenBack(Refusal):
    """The decision fell meanwhile: to answer that it stays would be untrue."""

    code = "already_taken_back"


class NoReasoning(Refusal):
    """The answer must carry its reasons."""

    code = "no_reasoning"


@transaction.atomic
def decide_appeal(
    *,
    claim_token: str,
    reviewer: User,
    outcome: Appeal.Outcome,
    reasoning: str,
    now: datetime,
) -> Appeal:
    """Uphold or overturn, undo what the decision caused if it falls, and tell the appellant.

    :raises MayNotReview: if their role does not review.
    :raises NoReasoning: if the reasoning is blank.
    :raises LeaseLost: if the claim is over, is somebody else's, or the appeal was claimed again since.
    :raises AppealDecided: if the appeal has its answer already.
    :raises TookPartBefore: if this reviewer decided or approved the first time.
    :raises AlreadyTakenBack: if the answer is that the decision stays, and it was taken back without being asked.
    """
    if not reviewer.may_review:
        raise MayNotReview(_("Your role does not include reviewing."))
    if not reasoning.strip():
        raise NoReasoning(_("Give your reasons."))
    appeal, claim = _held(claim_token, reviewer)
    _exclude_who_took_part(appeal, reviewer)
    is_right = outcome == Appeal.Outcome.UPHELD
    if is_right and appeal.grant.decision.overturned_at is not None:
        raise AlreadyTakenBack(
            _("We took this decision back ourselves. Answer that it was changed.")
        )
    appeal.decide(by=reviewer, outcome=outcome, reasoning=reasoning.strip(), at=now)
    _end(claim)
    AuditEntry.record(
        actor=reviewer,
        verb="appeal.decided",
        target=appeal,
        outcome=outcome,
        decision=appeal.grant.decision_id,
    )
    if not is_right:
        _undo(appeal, reviewer, now)
    judge(decision=appeal.grant.decision, is_right=is_right, by=reviewer, now=now)
    _tell(appeal, now)
    return appeal


def _held(claim_token: str, reviewer: User) -> tuple[Appeal, AppealClaim]:
    """The appeal, locked, and the lease on it, checked under that lock."""
    lost = LeaseLost(_("Your time with this one is over, and it went back."))
    claim = AppealClaim.objects.filter(token=claim_token, reviewer=reviewer).first()
    if claim is None:
        raise lost
    rows = Appeal.objects.select_for_update(of=("self",))
    appeal = rows.select_related("grant__decision__flag__content__account").get(
        pk=claim.appeal_id
    )
    if not appeal.is_open:
        raise AppealDecided(_("This appeal has been decided already."))
    live = AppealClaim.objects.live(Now()).filter(pk=claim.pk, epoch=appeal.lease_epoch)
    if not live.exists():
        raise lost
    return appeal, claim


def _end(claim: AppealClaim) -> None:
    # Compare-and-set: the lease may have been ended in this very moment; then nothing of this stands.
    mine = AppealClaim.objects.active().filter(pk=claim.pk, epoch=claim.epoch)
    if not mine.update(ended_at=Now(), ended_why=AppealClaim.Ended.DECIDED):
        raise LeaseLost(_("Your time with this one is over, and it went back."))


def _exclude_who_took_part(appeal: Appeal, reviewer: User) -> None:
    """Approval may have come after the appeal was lodged, or even after it was claimed.

    The orders are locked, so that nobody approves one between this look and the answer; all of the content's, and
    before the record is, as workers do who finish an order: so neither waits for the other for ever.
    """
    decision = appeal.grant.decision
    lock_question(decision.flag.content_id)
    orders = Enforcement.objects.filter(content_id=decision.flag.content_id)
    locked = orders.order_by("pk").select_for_update(of=("self",))
    approvers = [
        row.approved_by_id
        for row in locked
        if row.approved_by_id and row.cause_ref == decision.public_id
    ]
    if approvers and appeal.first_approver_id is None:
        appeal.note_approver(approvers[0])
    took_part = {appeal.first_reviewer_id, appeal.first_approver_id, *approvers}
    judged = Sample.objects.about(decision).values_list("judged_by", flat=True)
    if reviewer.pk in took_part.union(judged):
        raise TookPartBefore(_("You took part in the first decision."))


def _undo(appeal: Appeal, reviewer: User, now: datetime) -> None:
    """What the decision itself had banked rests on nothing any more. The fingerprint that somebody claimed stays: only
    this content is excepted from it (T-20).
    """
    content = appeal.grant.decision.flag.content
    keys = [decision.pk for decision in answers_to(appeal.grant.decision)]
    standing = Decision.objects.standing().filter(pk__in=keys).order_by("pk")
    orders = []
    for decision in list(standing.select_for_update(of=("self",))):
        orders += overturn(
            decision, new_cause_ref=appeal.receipt, actor=reviewer, now=now
        )
    _show_again(appeal, content, orders, reviewer, now)
    moderation.except_content(
        content=content, cause_ref=appeal.receipt, actor=reviewer, now=now
    )


def _show_again(
    appeal: Appeal,
    content: Content,
    orders: list[Enforcement],
    reviewer: User,
    now: datetime,
) -> None:
    """A removal that no worker had begun was taken back; the machine's hold from before it must end too."""
    if any(order.action == Enforcement.Action.RESTORE for order in orders):
        return
    holds = content.enforcements.filter(
        action=Enforcement.Action.HOLD, reversed_by__isnull=True
    ).exclude(work_state=Work.WorkState.CANCELLED)
    for cause_ref in holds.order_by("cause_ref").values_list("cause_ref", flat=True):
        moderation.reverse_enforcements(
            cause_ref=cause_ref,
            new_cause_ref=appeal.receipt,
            actor=reviewer,
            now=now,
        )


def _tell(appeal: Appeal, now: datetime) -> None:
    letter = letters.decided(appeal)
    moderation.order_notice(
        content=appeal.grant.decision.flag.content,
        kind=Notice.Kind.APPEAL_DECIDED,
        cause_ref=appeal.receipt,
        language=appeal.language,
        subject=letter.subject,
        body=letter.body,
        now=now,
    )
