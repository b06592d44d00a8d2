"""What a person may ask of the hub: open a case, come back to it, stop it, and find somebody to talk to."""

from victims.services.cases import (
    REVIEW_AFTER,
    add_hashes,
    open_case,
    withdraw,
)
from victims.services.directory import Entry, Support, support_for
from victims.services.door import (
    Busy,
    DoesNotFit,
    Entered,
    TryLater,
    enter,
    network_key,
    session_key,
)

__all__ = [
    "REVIEW_AFTER",
    "Busy",
    "DoesNotFit",
    "Entered",
    "Entry",
    "Support",
    "TryLater",
    "add_hashes",
    "enter",
    "network_key",
    "open_case",
    "session_key",
    "support_for",
    "withdraw",
]
