"""Fingerprints of pictures: perceptual (PDQ) and exact (SHA-256, MD5)."""

from moderation.hashing.exact import md5, sha256
from moderation.hashing.pdq import (
    MIN_QUALITY,
    RECIPE,
    Pdq,
    distance,
    pdq,
    pdq_dihedral,
    pdq_forms,
    plausible,
)

__all__ = [
    "MIN_QUALITY",
    "RECIPE",
    "Pdq",
    "distance",
    "md5",
    "pdq",
    "pdq_dihedral",
    "pdq_forms",
    "plausible",
    "sha256",
]
