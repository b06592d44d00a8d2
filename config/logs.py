"""Logs that cannot carry a secret: an allow-list of fields, message templates without their arguments (T-47).

A log line holds the time, the level, the logger, the event, and only the fields named in ``ALLOWED``. A record from
a library keeps its template ("Not Found: %s") and loses its arguments; an exception keeps its type and where it was
raised, and loses its message, because messages quote data (a database error prints the conflicting row).
"""

import logging
import logging.config
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "timestamp", "level", "logger", "event", "route", "status", "ms", "method", "request_id", "task", "task_id",
        "content", "flag", "enforcement", "notice", "decision", "appeal", "platform", "action", "state", "attempt",
        "count", "code", "model", "verb", "exception", "stage", "seconds", "bank", "face",
    }
)  # fmt: skip


def keep_allowed(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {
        key: value if isinstance(value, int | float | bool) else str(value)[:200]
        for key, value in event.items()
        if key in ALLOWED
    }


class Templates(logging.Filter):
    """Replaces a library's formatted message by its template, and its exception by type and place."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not isinstance(record.msg, dict):
            record.msg = str(record.msg)[:200] if record.args else _plain(record)
            record.args = ()
        record.exception_place = _place(record)
        record.exc_info = None
        record.exc_text = None
        return True


def _plain(record: logging.LogRecord) -> str:
    # Without arguments the caller may have formatted already (f-string): only our own event names are trusted.
    text = str(record.msg)
    ours = record.name.split(".")[0] in {
        "config", "moderation", "victims", "reviews", "appeals",
    }  # fmt: skip
    return text[:200] if ours or len(text.split()) <= 3 else f"{record.name} message"


def _place(record: logging.LogRecord) -> str:
    info = record.exc_info
    if not isinstance(info, tuple) or info[0] is None:
        return ""
    frames = traceback.extract_tb(info[2])[-4:]
    places = " < ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in reversed(frames)
    )
    return f"{info[0].__name__} at {places}"


def _add_place(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    record = event.get("_record")
    place = getattr(record, "exception_place", "")
    if place:
        event["exception"] = place
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str) -> None:
    """Set up the standard library's logging and structlog, once a process."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"templates": {"()": Templates}},
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": _SHARED,
                    "processors": [
                        _add_place,
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        keep_allowed,
                        structlog.processors.JSONRenderer(sort_keys=True),
                    ],
                }
            },
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": sys.stderr,
                    "formatter": "json",
                    "filters": ["templates"],
                }
            },
            "root": {"handlers": ["out"], "level": level},
            "loggers": {
                "django.server": {"handlers": [], "propagate": False},
                "django.request": {"level": "ERROR"},
                "django.security": {"level": "ERROR"},
            },
        }
    )
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
