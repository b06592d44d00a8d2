"""Hostile bytes in, one canonical picture out, and a softened copy for reviewers."""

from moderation.media.decode import Luma, Picture, decode, decode_luma, isolation
from moderation.media.derivative import derivative
from moderation.media.limits import MAX_BYTES, MAX_PIXELS, Kind, MediaRefused
from moderation.media.recognise import recognise
from moderation.media.sandbox import ALL_PROTECTIONS

__all__ = [
    "ALL_PROTECTIONS",
    "MAX_BYTES",
    "MAX_PIXELS",
    "Kind",
    "Luma",
    "MediaRefused",
    "Picture",
    "decode",
    "decode_luma",
    "derivative",
    "isolation",
    "recognise",
]
