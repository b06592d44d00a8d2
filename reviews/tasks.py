"""Celery's entry point of the desk."""

from celery import shared_task

from reviews import pipeline


@shared_task
def expire_leases() -> None:
    pipeline.expire_leases()
