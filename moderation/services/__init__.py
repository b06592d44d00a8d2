"""What people and other apps may ask of the ground floor."""

from moderation.services.banking import (
    BankMissing,
    bank_hash,
    confirm_matches,
    except_content,
    unconfirm,
    withdraw_source,
)
from moderation.services.enforcement import (
    ApproverIsDecider,
    NothingToApprove,
    approve_enforcement,
    decline_enforcement,
    order_enforcement,
    order_notice,
    reverse_enforcements,
)
from moderation.services.evidence import (
    EvidenceUnavailable,
    copies_removed,
    flag_evidence,
    picture_for_review,
)
from moderation.services.intake import (
    ExternalIdTaken,
    MediaMissing,
    Submission,
    receive_content,
)
from moderation.services.matching import (
    Evidence,
    PictureRefused,
    Verdict,
    match,
    match_picture,
)
from moderation.services.reviving import revive

__all__ = [
    "ApproverIsDecider",
    "BankMissing",
    "Evidence",
    "EvidenceUnavailable",
    "ExternalIdTaken",
    "MediaMissing",
    "NothingToApprove",
    "PictureRefused",
    "Submission",
    "Verdict",
    "approve_enforcement",
    "bank_hash",
    "confirm_matches",
    "copies_removed",
    "decline_enforcement",
    "except_content",
    "flag_evidence",
    "match",
    "match_picture",
    "order_enforcement",
    "order_notice",
    "picture_for_review",
    "receive_content",
    "reverse_enforcements",
    "revive",
    "unconfirm",
    "withdraw_source",
]
