"""Celery's entry points. A task carries one id; the row says whether there is anything to do."""

import structlog
from celery import Task, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerDown

from moderation import pipeline
from moderation.models import BankedHash, Content, Enforcement, Notice

_log = structlog.get_logger(__name__)
_SWEPT = 500


def ring(task: "Task[[int], None]", pk: int) -> None:
    """Tell a worker; if the broker is down, beat tells it later: the row is safe."""
    try:
        task.delay(pk)
    except (BrokerDown, OSError) as error:
        _log.warning("bell_broken", code=type(error).__name__)


@shared_task
def check_content(content_id: int) -> None:
    content = Content.objects.select_related("platform", "account", "evidence").get(
        pk=content_id
    )
    for enforcement in pipeline.check(content, timezone.now()):
        ring(enforce, enforcement.pk)


@shared_task
def enforce(enforcement_id: int) -> None:
    order = Enforcement.objects.select_related("platform", "account", "content")
    following = pipeline.enforce(order.get(pk=enforcement_id), timezone.now())
    if following:
        ring(enforce, following.pk)


@shared_task
def deliver_notice(notice_id: int) -> None:
    rows = Notice.objects.select_related("platform", "account")
    pipeline.deliver(rows.get(pk=notice_id), timezone.now())


@shared_task
def look_back(hash_id: int) -> None:
    """Search the past for a fingerprint that was just banked; withdrawn meanwhile means nothing to do."""
    banked = BankedHash.objects.live().select_related("bank").filter(pk=hash_id).first()
    if banked is None:
        return
    for content in pipeline.look_back(banked, timezone.now()):
        for enforcement in content.enforcements.due(timezone.now()):
            ring(enforce, enforcement.pk)


@shared_task
def sweep() -> None:
    """Ring again for whatever waits: a flushed broker or a killed worker costs time, never a deed."""
    now = timezone.now()
    for rows, task in (
        (Content.objects, check_content),
        (Enforcement.objects, enforce),
        (Notice.objects, deliver_notice),
    ):
        worn_out = rows.worn_out(now).update(work_state="DEAD", error_code="worn_out")
        if worn_out:
            _log.error("work_given_up", count=worn_out, task=task.name)
        due = rows.due(now).order_by("next_attempt_at", "pk")
        for pk in due.values_list("pk", flat=True)[:_SWEPT]:
            ring(task, pk)
    unsearched = BankedHash.objects.unsearched(now).order_by("pk")
    for pk in unsearched.values_list("pk", flat=True)[:_SWEPT]:
        ring(look_back, pk)


@shared_task
def purge_expired() -> None:
    for name, count in pipeline.purge_expired(timezone.now()).items():
        _log.info("purged", stage=name, count=count)
