"""What reviewers do, and what the desk for appeals may ask."""

from reviews.pipeline import (
    TEMPLATE_VERSION,
    Statement,
    StatementIncomplete,
    appeal_link,
    closest_language,
    expire_leases,
    statement_of_reasons,
)
from reviews.services.claims import (
    LEASE,
    AlreadyHolding,
    MayNotReview,
    NothingToClaim,
    claim_next,
    heartbeat,
    is_held,
    leave,
    release,
)
from reviews.services.decisions import (
    AlreadyDecided,
    FlagChanged,
    PolicyMismatch,
    decide,
)
from reviews.services.desk import Approval, Desk, Waiting, approvals_for, desk
from reviews.services.evidence import Evidence, evidence
from reviews.services.looks import (
    DAILY_LOOKS,
    BudgetSpent,
    GreyFirst,
    LeaseLost,
    LinkSpent,
    looks_left,
    looks_made,
    may_see_colour,
    open_look,
    order_look,
)
from reviews.services.policies import load_policies
from reviews.services.revoking import (
    COUNTED,
    ReasonTooWeak,
    begin_revocation,
    dry_run,
    revoke_source,
)
from reviews.services.samples import answers_to, judge, lock_question, overturn
from reviews.services.sentences import FACTS, REASONS

__all__ = [
    "COUNTED",
    "DAILY_LOOKS",
    "FACTS",
    "LEASE",
    "REASONS",
    "TEMPLATE_VERSION",
    "AlreadyDecided",
    "AlreadyHolding",
    "Approval",
    "BudgetSpent",
    "Desk",
    "Evidence",
    "FlagChanged",
    "GreyFirst",
    "LeaseLost",
    "LinkSpent",
    "MayNotReview",
    "NothingToClaim",
    "PolicyMismatch",
    "ReasonTooWeak",
    "Statement",
    "StatementIncomplete",
    "Waiting",
    "answers_to",
    "appeal_link",
    "approvals_for",
    "begin_revocation",
    "claim_next",
    "closest_language",
    "decide",
    "desk",
    "dry_run",
    "evidence",
    "expire_leases",
    "heartbeat",
    "is_held",
    "judge",
    "leave",
    "load_policies",
    "lock_question",
    "looks_left",
    "looks_made",
    "may_see_colour",
    "open_look",
    "order_look",
    "overturn",
    "release",
    "revoke_source",
    "statement_of_reasons",
]
