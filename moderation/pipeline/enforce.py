"""Carry an order to the platform, in order, until it is confirmed or a person must look."""

from datetime import datetime

import structlog
from django.db import transaction

from moderation.models import AuditEntry, Content, Enforcement, PlatformAccount, Work
from moderation.platforms import PlatformError, Target, get_platform

_log = structlog.get_logger(__name__)

_SEEN_AFTER = {
    Enforcement.Action.HOLD: Content.Visibility.HELD,
    Enforcement.Action.RELEASE: Content.Visibility.VISIBLE,
    Enforcement.Action.REMOVE: Content.Visibility.REMOVED,
    Enforcement.Action.RESTORE: Content.Visibility.VISIBLE,
}
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
        adapter.apply(enforcement.action, target, enforcement.public_id)
    except PlatformError as error:
        _failed(enforcement, error, now)
        return None
    except Exception:
        enforcement.retry(now, "unexpected")
        raise
    with transaction.atomic():
        if enforcement.finish(now):
            _note(enforcement)
            AuditEntry.record(
                actor="worker", verb="enforcement.confirmed", target=enforcement
            )
    return _later(enforcement).order_by("pk").first()


def _same_target(enforcement: Enforcement):  # type: ignore[no-untyped-def]
    rows = Enforcement.objects.filter(work_state__in=_UNFINISHED)
    if enforcement.is_about_account:
        actions = [
            Enforcement.Action.DISABLE_ACCOUNT,
            Enforcement.Action.ENABLE_ACCOUNT,
        ]
        return rows.filter(account=enforcement.account, action__in=actions)
    return rows.filter(content=enforcement.content, action__in=list(_SEEN_AFTER))


def _earlier(enforcement: Enforcement):  # type: ignore[no-untyped-def]
    return _same_target(enforcement).filter(pk__lt=enforcement.pk)


def _later(enforcement: Enforcement):  # type: ignore[no-untyped-def]
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


def _note(enforcement: Enforcement) -> None:
    """Note what the platform now shows."""
    if enforcement.is_about_account:
        disabled = enforcement.action == Enforcement.Action.DISABLE_ACCOUNT
        states = PlatformAccount.State
        PlatformAccount.objects.filter(pk=enforcement.account_id).update(
            state=states.DISABLED if disabled else states.ACTIVE
        )
    else:
        action = Enforcement.Action(enforcement.action)
        enforcement.content.see(_SEEN_AFTER[action])
