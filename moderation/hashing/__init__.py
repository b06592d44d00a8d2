"""Fingerprints of pictures and videos: perceptual (PDQ, vPDQ, pHash) and exact (SHA-256, MD5)."""

from moderation.hashing.box import Box, content_box
from moderation.hashing.exact import md5, sha256
from moderation.hashing.guard import (
    guard_hashes,
    guard_pictures,
    near_guard,
    near_guards,
)
from moderation.hashing.pdq import (
    MIN_QUALITY,
    RECIPE,
    THRESHOLD,
    Pdq,
    distance,
    matches,
    pdq,
    pdq_dihedral,
    pdq_forms,
    plausible,
    turned_forms,
)
from moderation.hashing.phash import PHASH_RECIPE, PHASH_THRESHOLD, phash
from moderation.hashing.picture import BOX_RECIPE, PictureHashes, picture_hashes
from moderation.hashing.video import (
    VPDQ_RECIPE,
    VideoFrame,
    VideoVerdict,
    compare_videos,
    distinct_frames,
    judge,
    pack_frames,
    unpack_frames,
)

__all__ = [
    "BOX_RECIPE",
    "MIN_QUALITY",
    "PHASH_RECIPE",
    "PHASH_THRESHOLD",
    "RECIPE",
    "THRESHOLD",
    "VPDQ_RECIPE",
    "Box",
    "Pdq",
    "PictureHashes",
    "VideoFrame",
    "VideoVerdict",
    "compare_videos",
    "content_box",
    "distance",
    "distinct_frames",
    "guard_hashes",
    "guard_pictures",
    "judge",
    "matches",
    "md5",
    "near_guard",
    "near_guards",
    "pack_frames",
    "pdq",
    "pdq_dihedral",
    "pdq_forms",
    "phash",
    "picture_hashes",
    "plausible",
    "sha256",
    "turned_forms",
    "unpack_frames",
]
