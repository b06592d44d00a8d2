"""What a person may ask of the hub: open a case, come back to it, stop it, and find somebody to talk to."""

from victims.services.cases import (
    REVIEW_AFTER,
    open_case,
    withdraw,
)
from victims.services.directory import Entry, Support, countries, support_for
from victims.services.door import (
    AtTheDoor,
    Busy,
    DoesNotFit,
    Entered,
    TooManyFromNetwork,
    TryLater,
    enter,
    network_key,
    session_key,
)

__all__ = [
    "REVIEW_AFTER",
    "AtTheDoor",
    "Busy",
    "DoesNotFit",
    "Entered",
    "Entry",
    "Support",
    "TooManyFromNetwork",
    "TryLater",
    "countries",
    "enter",
    "network_key",
    "open_case",
    "session_key",
    "support_for",
    "withdraw",
]
