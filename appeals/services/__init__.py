"""A second look: lodge an appeal, take one from the queue, uphold or overturn."""

from appeals.services.deciding import (
    AlreadyTakenBack,
    AppealDecided,
    NoReasoning,
    TookPartBefore,
    decide_appeal,
)
from appeals.services.desk import Case, Desk, case_of, desk
from appeals.services.leases import (
    LEASE,
    NothingToClaim,
    claim_next_appeal,
    expire_leases,
    heartbeat,
    leave,
    release,
)
from appeals.services.letters import (
    READY_REASONS,
    AppealTold,
    DecisionTold,
    tell_appeal,
    tell_decision,
)
from appeals.services.lodging import AlreadyLodged, AppealTooLate, lodge, words_of

__all__ = [
    "LEASE",
    "READY_REASONS",
    "AlreadyLodged",
    "AlreadyTakenBack",
    "AppealDecided",
    "AppealTold",
    "AppealTooLate",
    "Case",
    "DecisionTold",
    "Desk",
    "NoReasoning",
    "NothingToClaim",
    "TookPartBefore",
    "case_of",
    "claim_next_appeal",
    "decide_appeal",
    "desk",
    "expire_leases",
    "heartbeat",
    "leave",
    "lodge",
    "release",
    "tell_appeal",
    "tell_decision",
    "words_of",
]
