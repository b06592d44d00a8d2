"""Celery's options, derived from Django's settings."""

from django.conf import settings

broker_url = settings.CELERY_BROKER_URL
broker_connection_retry_on_startup = True
broker_connection_timeout = 3
# A web request must not hang because the bell is broken: the row is safe, and beat rings later.
task_publish_retry = False
broker_transport_options = (
    {
        "visibility_timeout": 600,
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        "max_retries": 0,  # else a refused connection is tried again for six seconds
    }
    if settings.REDIS_URL
    else {"data_folder": str(settings.BROKER_DIR), "polling_interval": 0.05}
)
task_ignore_result = True
task_acks_late = True
task_reject_on_worker_lost = True
task_serializer = "json"
accept_content = ["json"]
task_soft_time_limit = 120
task_time_limit = 180
worker_prefetch_multiplier = 4
worker_enable_remote_control = False
worker_max_tasks_per_child = 500
worker_hijack_root_logger = False
timezone = "UTC"
beat_schedule_filename = str(settings.VAR_DIR / "beat-schedule")
beat_schedule = {
    "sweep": {"task": "moderation.tasks.sweep", "schedule": settings.SWEEP_SECONDS},
    "leases": {"task": "reviews.tasks.expire_leases", "schedule": 60.0},
    "automatic": {
        "task": "reviews.tasks.decide_automatically",
        "schedule": settings.SWEEP_SECONDS,
    },
    "purge": {"task": "moderation.tasks.purge_expired", "schedule": 3600.0},
    "feeds": {"task": "moderation.tasks.order_fetches", "schedule": 60.0},
    "bands": {"task": "victims.tasks.refresh_bands", "schedule": 600.0},
}
