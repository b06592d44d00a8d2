"""Orders to platforms and notices to people: written with the deed, carried out by workers."""

import json
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from moderation import tasks
from moderation.errors import Refusal
from moderation.models import AuditEntry, Content, Enforcement, Notice, User, Work
from moderation.models.enforcement import INVERSE
from moderation.storage import seal_text


class ApproverIsDecider(Refusal):
    """Whoever ordered it cannot approve it."""

    code = "approver_is_decider"


class NothingToApprove(Refusal):
    """It was approved, declined or taken back meanwhile."""

    code = "nothing_to_approve"


@transaction.atomic
def order_enforcement(
    *,
    content: Content,
    action: Enforcement.Action,
    cause_ref: str,
    actor: User | None,
    now: datetime,
    needs_approval: bool = False,
    reverses: Enforcement | None = None,
    is_wanted: bool = True,
) -> Enforcement:
    """Record that an action must happen on the platform, and ring for a worker unless it waits for approval.

    The same order for the same cause again gives the same row. One that is not wanted says only that what it reverses
    no longer stands.
    """
    states = Work.WorkState
    state = states.HELD_BACK if needs_approval else states.WAITING
    enforcement, created = Enforcement.objects.get_or_create(
        content=content,
        action=action,
        cause_ref=cause_ref,
        defaults={
            "platform": content.platform,
            "account": content.account,
            "ordered_at": now,
            "ordered_by": actor,
            "next_attempt_at": now,
            "needs_approval": needs_approval,
            "work_state": state if is_wanted else states.CANCELLED,
            "reverses": reverses,
        },
    )
    if created:
        AuditEntry.record(
            actor=actor or "worker",
            verb="enforcement.ordered" if is_wanted else "enforcement.withheld",
            target=enforcement,
            action=action,
        )
        if is_wanted and not needs_approval:
            _ring(enforcement)
    return enforcement


@transaction.atomic
def approve_enforcement(
    *, enforcement: Enforcement, approver: User, now: datetime
) -> Enforcement:
    """Let an order go that waited for a second person.

    :raises ApproverIsDecider: if it is the same person.
    :raises NothingToApprove: if it no longer waits.
    """
    if enforcement.ordered_by_id == approver.pk:
        raise ApproverIsDecider(_("A second person must approve this."))
    changed = (
        Enforcement.objects.for_approval()
        .filter(pk=enforcement.pk)
        .update(
            work_state=Work.WorkState.WAITING,
            approved_by=approver,
            approved_at=now,
            next_attempt_at=now,
        )
    )
    if not changed:
        raise NothingToApprove(_("This no longer waits for approval."))
    enforcement.refresh_from_db()
    AuditEntry.record(actor=approver, verb="enforcement.approved", target=enforcement)
    _ring(enforcement)
    return enforcement


@transaction.atomic
def decline_enforcement(
    *, enforcement: Enforcement, approver: User, now: datetime
) -> Enforcement:
    """Take back an order that waited for a second person.

    :raises ApproverIsDecider: if it is the same person.
    :raises NothingToApprove: if it no longer waits.
    """
    if enforcement.ordered_by_id == approver.pk:
        raise ApproverIsDecider(_("A second person must look at this."))
    changed = (
        Enforcement.objects.for_approval()
        .filter(pk=enforcement.pk)
        .update(work_state=Work.WorkState.CANCELLED)
    )
    if not changed:
        raise NothingToApprove(_("This no longer waits for approval."))
    enforcement.refresh_from_db()
    AuditEntry.record(actor=approver, verb="enforcement.declined", target=enforcement)
    return enforcement


@transaction.atomic
def reverse_enforcements(
    *, cause_ref: str, new_cause_ref: str, actor: User, now: datetime
) -> list[Enforcement]:
    """Undo everything a decision ordered: take back what has not begun, order the inverse of the rest.

    What another decision wants as well stays as it is: a post that two removed, an account that two closed.
    """
    orders = []
    caused = Enforcement.objects.filter(cause_ref=cause_ref).order_by("pk")
    rows = list(caused.select_for_update(of=("self",)))
    # Under this lock: of two decisions that are undone at once, the second sees that the first does not stand.
    AuditEntry.lock()
    for enforcement in rows:
        was_tried = enforcement.attempt_count > 0
        if enforcement.cancel():
            AuditEntry.record(
                actor=actor, verb="enforcement.cancelled", target=enforcement
            )
            # A try without an answer may have reached the platform all the same.
            if not was_tried:
                continue
        elif enforcement.work_state == Work.WorkState.CANCELLED:
            continue
        inverse = INVERSE.get(Enforcement.Action(enforcement.action))
        if inverse is None or _stays_hidden(enforcement):
            continue
        stands = _also_wanted(enforcement)
        order = order_enforcement(
            content=enforcement.content,
            action=inverse,
            cause_ref=new_cause_ref,
            actor=actor,
            now=now,
            reverses=enforcement,
            is_wanted=not stands,
        )
        if not stands:
            orders.append(order)
    return orders


def _stays_hidden(enforcement: Enforcement) -> bool:
    """A hold under a removal that stands: to end it would show the post again."""
    return enforcement.action == Enforcement.Action.HOLD and _standing(
        Enforcement.objects.filter(content=enforcement.content),
        Enforcement.Action.REMOVE,
    )


def _also_wanted(enforcement: Enforcement) -> bool:
    rows = Enforcement.objects.exclude(pk=enforcement.pk)
    if enforcement.is_about_account:
        return _standing(rows.filter(account=enforcement.account), enforcement.action)
    if enforcement.action == Enforcement.Action.HOLD:
        return False  # whoever ends one hold of a content ends them all
    return _standing(rows.filter(content=enforcement.content), enforcement.action)


def _standing(rows: QuerySet[Enforcement], action: str) -> bool:
    """Whether one of these is ordered and neither waits for a second person, nor was taken back, nor undone."""
    states = Work.WorkState
    return (
        rows.filter(action=action, reversed_by__isnull=True)
        .exclude(work_state__in=[states.HELD_BACK, states.CANCELLED])
        .exists()
    )


@transaction.atomic
def order_notice(
    *,
    content: Content,
    kind: Notice.Kind,
    cause_ref: str,
    language: str,
    subject: str,
    body: str,
    now: datetime,
) -> Notice:
    """Keep the exact words, sealed, and have them brought to the account that posted the content."""
    words = json.dumps({"subject": subject, "body": body})
    # Deferred: whoever orders a notice may not read those that others got.
    notice, created = Notice.objects.defer("text_sealed").get_or_create(
        cause_ref=cause_ref,
        kind=kind,
        account=content.account,
        defaults={
            "platform": content.platform,
            "language": language,
            "text_sealed": seal_text(words, "notice"),
            "ordered_at": now,
            "next_attempt_at": now,
            "expires_at": now + timedelta(days=settings.APPEAL_DAYS + 31),
        },
    )
    if created:
        AuditEntry.record(
            actor="system", verb="notice.ordered", target=notice, kind=kind
        )
        transaction.on_commit(partial(tasks.ring, tasks.deliver_notice, notice.pk))
    return notice


def _ring(enforcement: Enforcement) -> None:
    transaction.on_commit(partial(tasks.ring, tasks.enforce, enforcement.pk))
