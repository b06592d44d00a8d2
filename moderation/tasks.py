"""Celery's entry points. A task carries one id; the row says whether there is anything to do."""

from datetime import datetime
from itertools import zip_longest

import structlog
from celery import Task, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerDown

from moderation import pipeline
from moderation.models import (
    BankedHash,
    Content,
    Enforcement,
    FeedFetch,
    LookBack,
    Notice,
)

_log = structlog.get_logger(__name__)
_SWEPT = 500
# So many contents of one platform wait at the bell at once, and the others' are not behind all of them (T-30).
IN_LINE = 100


def ring(task: "Task[[int], None]", pk: int) -> None:
    """Tell a worker; if the broker is down, beat tells it later: the row is safe."""
    try:
        task.delay(pk)
    except (BrokerDown, OSError) as error:
        _log.warning("bell_broken", code=type(error).__name__)


def ring_for_check(content: Content) -> None:
    """Tell a worker of a new content, unless enough of its platform's wait already: then its turn comes after them."""
    before = Content.objects.in_line(content.platform_id).filter(pk__lt=content.pk)
    if not before[IN_LINE - 1 : IN_LINE]:
        ring(check_content, content.pk)


@shared_task
def check_content(content_id: int) -> None:
    content = Content.objects.select_related("platform", "account", "evidence").get(
        pk=content_id
    )
    ordered = pipeline.check(content, timezone.now())
    for enforcement in ordered:
        ring(enforce, enforcement.pk)
    line = Content.objects.in_line(content.platform_id)
    for following in line.values_list("pk", flat=True)[IN_LINE - 1 : IN_LINE]:
        ring(check_content, following)


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
def search_past(hash_id: int) -> None:
    """Search the past for fingerprints that were just banked: for all that wait, in one pass."""
    search = pipeline.gather(timezone.now())
    if search is not None:
        look_back(search.pk)


@shared_task
def look_back(search_id: int) -> None:
    search = LookBack.objects.filter(pk=search_id).first()
    if search is None:
        return
    ordered, goes_on = pipeline.look_back(search, timezone.now())
    for enforcement in ordered:
        ring(enforce, enforcement.pk)
    if goes_on:
        ring(look_back, search.pk)


@shared_task
def order_fetches() -> None:
    """Begin to read the partners' lists whose time has come."""
    now = timezone.now()
    pipeline.order_fetches(now)
    for pk in FeedFetch.objects.due(now).values_list("pk", flat=True):
        ring(fetch_feed, pk)


@shared_task
def fetch_feed(fetch_id: int) -> None:
    work = FeedFetch.objects.select_related("feed").get(pk=fetch_id)
    following = pipeline.fetch(work, timezone.now())
    work.refresh_from_db()
    if work.added_count:
        ring(search_past, 0)
    if following:
        ring(fetch_feed, following.pk)


@shared_task
def withdraw_orphans(_: int) -> None:
    count = pipeline.withdraw_orphans(timezone.now())
    if count:
        _log.info("orphans_withdrawn", count=count)


@shared_task
def sweep() -> None:
    """Ring again for whatever waits: a flushed broker or a killed worker costs time, never a deed."""
    now = timezone.now()
    for rows, task in (
        (Enforcement.objects, enforce),
        (Notice.objects, deliver_notice),
        (LookBack.objects, look_back),
        (FeedFetch.objects, fetch_feed),
    ):
        worn_out = rows.worn_out(now).update(work_state="DEAD", error_code="worn_out")
        if worn_out:
            _log.error("work_given_up", count=worn_out, task=task.name)
        due = rows.due(now).order_by("next_attempt_at", "pk")
        for pk in due.values_list("pk", flat=True)[:_SWEPT]:
            ring(task, pk)
    _sweep_contents(now)
    if BankedHash.objects.orphans().exists():
        ring(withdraw_orphans, 0)
    first = BankedHash.objects.unsearched().order_by("pk").first()
    if first is not None:
        ring(search_past, first.pk)


def _sweep_contents(now: datetime) -> None:
    """The first in line of each platform, in turns."""
    worn_out = Content.objects.worn_out(now)
    if count := worn_out.update(work_state="DEAD", error_code="worn_out"):
        _log.error("work_given_up", count=count, task=check_content.name)
    due = Content.objects.due(now)
    platforms = due.order_by().values_list("platform", flat=True).distinct()
    lines = [
        due.filter(platform=platform).order_by("pk").values_list("pk", flat=True)
        for platform in platforms
    ]
    for turn in zip_longest(*(line[:IN_LINE] for line in lines)):
        for pk in turn:
            if pk is not None:
                ring(check_content, pk)


@shared_task
def purge_expired() -> None:
    for name, count in pipeline.purge_expired(timezone.now()).items():
        _log.info("purged", stage=name, count=count)
