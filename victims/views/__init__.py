"""The pages of the hub. Every one of them is public; what belongs to a case goes through ``access``."""

from victims.views.case import (
    leave_number,
    next_steps,
    number,
    open_case,
    ready,
    stop,
)
from victims.views.make import age, make, worker
from victims.views.pages import (
    about,
    help_,
    language,
    leave,
    other,
    page,
    speak,
    way_out,
)
from victims.views.status import status

__all__ = [
    "about",
    "age",
    "help_",
    "language",
    "leave",
    "leave_number",
    "make",
    "next_steps",
    "number",
    "open_case",
    "other",
    "page",
    "ready",
    "speak",
    "status",
    "stop",
    "way_out",
    "worker",
]
