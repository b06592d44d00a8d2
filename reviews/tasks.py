"""Celery's entry points of the desk."""

import structlog
from celery import shared_task
from django.utils import timezone

from reviews import pipeline

_log = structlog.get_logger(__name__)


@shared_task
def expire_leases() -> None:
    pipeline.expire_leases()


@shared_task
def decide_automatically() -> None:
    """What a bank's rule lets the machine decide alone; the database says what waits."""
    count = pipeline.decide_automatically(timezone.now())
    if count:
        _log.info("decided_automatically", count=count)
