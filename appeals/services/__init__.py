"""A second look: lodge an appeal, take one from the queue, uphold or overturn."""

from appeals.services.deciding import (
    AppealDecided,
    NoReasoning,
    TookPartBefore,
    decide_appeal,
)
from appeals.services.leases import (
    NothingToClaim,
    claim_next_appeal,
    expire_leases,
    heartbeat,
    release,
)
from appeals.services.letters import (
    AppealTold,
    DecisionTold,
    tell_appeal,
    tell_decision,
)
from appeals.services.lodging import AlreadyLodged, AppealTooLate, lodge, words_of

__all__ = [
    "AlreadyLodged",
    "AppealDecided",
    "AppealTold",
    "AppealTooLate",
    "DecisionTold",
    "NoReasoning",
    "NothingToClaim",
    "TookPartBefore",
    "claim_next_appeal",
    "decide_appeal",
    "expire_leases",
    "heartbeat",
    "lodge",
    "release",
    "tell_appeal",
    "tell_decision",
    "words_of",
]
