"""The reviewer's desk: policies, claims, looks and decisions, and what becomes of decisions afterwards."""

from reviews.models.decisions import AppealGrant, Decision
from reviews.models.leases import Claim, ClaimQuerySet, Lease, LeaseQuerySet, Reveal
from reviews.models.policies import Policy
from reviews.models.revocations import Reversal, Revocation
from reviews.models.samples import Sample

__all__ = [
    "AppealGrant",
    "Claim",
    "ClaimQuerySet",
    "Decision",
    "Lease",
    "LeaseQuerySet",
    "Policy",
    "Reveal",
    "Reversal",
    "Revocation",
    "Sample",
]
