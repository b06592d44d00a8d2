"""The Celery app. Tasks carry ids; rows in the database are the truth; beat rings again for whatever waits."""

import os

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_process_init
from kombu.transport import TRANSPORT_ALIASES

from config.process import close_memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
TRANSPORT_ALIASES["safefs"] = "config.safefs:Transport"

app = Celery("nwmc")
app.config_from_object("config.celery_options")
app.autodiscover_tasks(["moderation", "victims", "reviews"])


@setup_logging.connect  # Celery's own set-up would print task arguments and results
def keep_our_logging(**_kwargs: object) -> None:
    """Nothing to do: Django's settings have configured logging already."""


@celeryd_init.connect
@worker_process_init.connect
def close(**_kwargs: object) -> None:
    """The worker and each of its children hold the keys."""
    close_memory()
