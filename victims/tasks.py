"""Celery's entry point for the hub: beat rings every few minutes, and each case has its own minute of the day."""

from celery import shared_task
from django.utils import timezone

from victims import pipeline
from victims.models import Case

_AT_ONCE = 2000


@shared_task
def refresh_bands() -> None:
    now = timezone.now()
    for case in Case.objects.band_due(now).order_by("pk")[:_AT_ONCE]:
        pipeline.refresh_band(case, now)
    pipeline.forget(now)
