"""What is given to partners: who opted in, the list that each of them reads, and who leaks it.

What stands on a list follows from the banks: see ``moderation.pipeline.listing``.
"""

from moderation.services.sharing.canaries import (
    canary_alarm,
    may_be_canaries,
    plant_canaries,
)
from moderation.services.sharing.opting import (
    NotOursToShare,
    NotShared,
    partners_not_told,
    share_source,
    unshare_source,
)
from moderation.services.sharing.partners import take_hashes, take_opinion
from moderation.services.sharing.reading import (
    Line,
    Page,
    PlaceUnknown,
    Range,
    read_page,
    read_range,
)

__all__ = [
    "Line",
    "NotOursToShare",
    "NotShared",
    "Page",
    "PlaceUnknown",
    "Range",
    "canary_alarm",
    "may_be_canaries",
    "partners_not_told",
    "plant_canaries",
    "read_page",
    "read_range",
    "share_source",
    "take_hashes",
    "take_opinion",
    "unshare_source",
]
