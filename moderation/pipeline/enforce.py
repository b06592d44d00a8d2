"""Carry an order to the platform, in order, until it is confirmed or a person must look."""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import QuerySet

from moderation.models import AuditEntry, Content, Enforcement, PlatformAccount, Work
from moderation.platforms import Confirmation, PlatformError, Target, get_platform

_log = structlog.get_logger(__name__)

_ACCOUNT_ACTIONS = Enforcement.ACCOUNT_ACTIONS
_UNFINISHED = [Work.WorkState.WAITING, Work.WorkState.RUNNING]


def enforce(enforcement: Enforcement, now: datetime) -> Enforcement | None:
    """Do one order. The platform is called outside any transaction, with the order's own key, so that twice is once.

    :returns: the next order for the same target, for the caller to ring for.
    """
    if _earlier(enforcement).exists() or not enforcement.start(now):
        return None
    target = Target(enforcement.account.external_id, enforcement.content.external_id)
    try:
        adapter = get_platform(enforcement.platform.alias)
        confirmed = adapter.apply(enforcement.action, target, enforcement.public_id)
    except PlatformError as error:
        _failed(enforcement, error, now)
        return None
    except Exception:
        enforcement.retry(now, "unexpected")
        raise
    with transaction.atomic():
        # In the order in which whoever judges a content locks: the content, its orders, the record.
        contents = Content.objects.select_for_update(no_key=True).only("pk")
        contents.get(pk=enforcement.content_id)
        if enforcement.finish(now):
            _note(enforcement, confirmed)
            AuditEntry.record(
                actor="worker", verb="enforcement.confirmed", target=enforcement
            )
    return _later(enforcement).order_by("pk").first()


def _same_target(enforcement: Enforcement) -> QuerySet[Enforcement]:
    rows = Enforcement.objects.filter(work_state__in=_UNFINISHED)
    if enforcement.is_about_account:
        return rows.filter(account=enforcement.account, action__in=_ACCOUNT_ACTIONS)
    return rows.filter(content=enforcement.content).exclude(action__in=_ACCOUNT_ACTIONS)


def _earlier(enforcement: Enforcement) -> QuerySet[Enforcement]:
    return _same_target(enforcement).filter(pk__lt=enforcement.pk)


def _later(enforcement: Enforcement) -> QuerySet[Enforcement]:
    return _same_target(enforcement).filter(pk__gt=enforcement.pk)


def _failed(enforcement: Enforcement, error: PlatformError, now: datetime) -> None:
    _log.warning(
        "platform_refused",
        enforcement=enforcement.pk,
        code=error.code,
        attempt=enforcement.attempt_count,
    )
    if error.retryable:
        enforcement.retry(now, error.code)
    else:
        enforcement.give_up(now, error.code)
    if enforcement.work_state == Work.WorkState.DEAD:
        with transaction.atomic():
            AuditEntry.record(
                actor="worker",
                verb="enforcement.dead",
                target=enforcement,
                code=error.code,
            )


def _note(enforcement: Enforcement, confirmed: Confirmation) -> None:
    """Note what the platform says it shows now; an account may have deleted its content before we came."""
    if enforcement.is_about_account:
        PlatformAccount.objects.filter(pk=enforcement.account_id).update(
            state=PlatformAccount.State(confirmed.state)
        )
    else:
        enforcement.content.see(Content.Visibility(confirmed.state))
