"""What is given to partners: who opted in, the list that each of them reads, and what is forgotten again."""

from moderation.services.sharing.canaries import canary_alarm, plant_canaries
from moderation.services.sharing.forgetting import partners_not_told, purge_listed
from moderation.services.sharing.lines import (
    LISTED_TYPES,
    NotOursToShare,
    NotShared,
    on_banked,
    on_changed,
    on_withdrawn,
    share_source,
    unshare_source,
)
from moderation.services.sharing.reading import (
    Line,
    Page,
    PlaceUnknown,
    Range,
    read_page,
    read_range,
)

__all__ = [
    "LISTED_TYPES",
    "Line",
    "NotOursToShare",
    "NotShared",
    "Page",
    "PlaceUnknown",
    "Range",
    "canary_alarm",
    "on_banked",
    "on_changed",
    "on_withdrawn",
    "partners_not_told",
    "plant_canaries",
    "purge_listed",
    "read_page",
    "read_range",
    "share_source",
    "unshare_source",
]
