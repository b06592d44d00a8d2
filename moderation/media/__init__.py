"""Hostile bytes in, one canonical picture out, and a softened copy for reviewers."""

from moderation.media.decode import Picture, decode, isolation
from moderation.media.derivative import derivative
from moderation.media.limits import MAX_BYTES, MAX_PIXELS, Kind, MediaRefused
from moderation.media.sandbox import ALL_PROTECTIONS

__all__ = [
    "ALL_PROTECTIONS",
    "MAX_BYTES",
    "MAX_PIXELS",
    "Kind",
    "MediaRefused",
    "Picture",
    "decode",
    "derivative",
    "isolation",
]
