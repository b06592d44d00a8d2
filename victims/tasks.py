"""Celery's entry point for the hub: beat rings every few minutes, and each case has its own minute of the day."""

from celery import shared_task
from django.utils import timezone

from victims import pipeline
from victims.models import Case

_AT_ONCE = 2000


@shared_task
def refresh_bands() -> None:
    now = timezone.now()
    # The worker's database role may read neither numbers nor PINs, and has no use for them.
    due = Case.objects.band_due(now).only("pk").order_by("pk")
    for case in due[:_AT_ONCE]:
        pipeline.refresh_band(case, now)
    pipeline.forget(now)
