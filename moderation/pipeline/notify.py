"""Bring a notice to the account it is for, by way of its platform."""

import json
from datetime import datetime

import structlog
from django.db import transaction

from moderation.models import AuditEntry, Notice
from moderation.platforms import PlatformError, get_platform
from moderation.storage import open_text

_log = structlog.get_logger(__name__)


def deliver(notice: Notice, now: datetime) -> None:
    if not notice.start(now):
        return
    words = json.loads(open_text(notice.text_sealed, "notice"))
    try:
        get_platform(notice.platform.alias).notify(
            notice.account.external_id,
            words["subject"],
            words["body"],
            notice.public_id,
        )
    except PlatformError as error:
        _log.warning("notice_refused", notice=notice.pk, code=error.code)
        if error.retryable:
            notice.retry(now, error.code)
        else:
            notice.give_up(now, error.code)
        return
    except Exception:
        notice.retry(now, "unexpected")
        raise
    with transaction.atomic():
        if notice.finish(now):
            AuditEntry.record(actor="worker", verb="notice.delivered", target=notice)
