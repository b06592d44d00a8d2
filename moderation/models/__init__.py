"""The facts of the ground floor."""

from moderation.models.audit import AuditEntry, AuditHead
from moderation.models.banks import (
    BankCounter,
    BankedHash,
    BankWithdrawal,
    HashBank,
    HashConfirmation,
    HashException,
    HashOpinion,
    HashParent,
)
from moderation.models.content import Content, Evidence, Fingerprint
from moderation.models.enforcement import Enforcement, Notice
from moderation.models.exchange import (
    IdempotentCall,
    ListClock,
    ListedHash,
    ListedSource,
    ListReading,
    Share,
)
from moderation.models.feeds import Feed, FeedFetch
from moderation.models.partners import (
    ApiKey,
    KeyBudget,
    Platform,
    PlatformAccount,
    ProbeAlarm,
    ProbeMark,
)
from moderation.models.searches import LookBack
from moderation.models.signals import Detection, Flag, Match
from moderation.models.staff import User
from moderation.models.work import Work, token

__all__ = [
    "ApiKey",
    "AuditEntry",
    "AuditHead",
    "BankCounter",
    "BankWithdrawal",
    "BankedHash",
    "Content",
    "Detection",
    "Enforcement",
    "Evidence",
    "Feed",
    "FeedFetch",
    "Fingerprint",
    "Flag",
    "HashBank",
    "HashConfirmation",
    "HashException",
    "HashOpinion",
    "HashParent",
    "IdempotentCall",
    "KeyBudget",
    "ListClock",
    "ListReading",
    "ListedHash",
    "ListedSource",
    "LookBack",
    "Match",
    "Notice",
    "Platform",
    "PlatformAccount",
    "ProbeAlarm",
    "ProbeMark",
    "Share",
    "User",
    "Work",
    "token",
]
