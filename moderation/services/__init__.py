"""What people and other apps may ask of the ground floor."""

from moderation.services.banking import (
    BankMissing,
    HashRefused,
    NewHash,
    TooMany,
    bank_hash,
    bank_hashes,
    check_hash,
    withdraw_hashes,
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
    MediaUnreadable,
    Query,
    Verdict,
    match,
    match_media,
    query_of,
)
from moderation.services.reviving import revive
from moderation.services.vouching import (
    bank_copy,
    confirm_matches,
    except_content,
    unconfirm,
)

__all__ = [
    "ApproverIsDecider",
    "BankMissing",
    "Evidence",
    "EvidenceUnavailable",
    "ExternalIdTaken",
    "HashRefused",
    "MediaMissing",
    "MediaUnreadable",
    "NewHash",
    "NothingToApprove",
    "Query",
    "Submission",
    "TooMany",
    "Verdict",
    "approve_enforcement",
    "bank_copy",
    "bank_hash",
    "bank_hashes",
    "check_hash",
    "confirm_matches",
    "copies_removed",
    "decline_enforcement",
    "except_content",
    "flag_evidence",
    "match",
    "match_media",
    "order_enforcement",
    "order_notice",
    "picture_for_review",
    "query_of",
    "receive_content",
    "reverse_enforcements",
    "revive",
    "unconfirm",
    "withdraw_hashes",
    "withdraw_source",
]
