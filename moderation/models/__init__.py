"""The facts of the ground floor."""

from moderation.models.audit import AuditEntry, AuditHead
from moderation.models.banks import (
    BankChange,
    BankCounter,
    BankedHash,
    HashBank,
    HashConfirmation,
    HashException,
)
from moderation.models.content import Content, Evidence, Fingerprint
from moderation.models.enforcement import Enforcement, Notice
from moderation.models.partners import ApiKey, KeyBudget, Platform, PlatformAccount
from moderation.models.signals import Detection, Flag, Match
from moderation.models.staff import User
from moderation.models.work import Work, token

__all__ = [
    "ApiKey",
    "AuditEntry",
    "AuditHead",
    "BankChange",
    "BankCounter",
    "BankedHash",
    "Content",
    "Detection",
    "Enforcement",
    "Evidence",
    "Fingerprint",
    "Flag",
    "HashBank",
    "HashConfirmation",
    "HashException",
    "KeyBudget",
    "Match",
    "Notice",
    "Platform",
    "PlatformAccount",
    "User",
    "Work",
    "token",
]
