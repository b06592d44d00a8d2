"""Hostile bytes in, one canonical picture out, or its frames; and softened copies for reviewers."""

from moderation.media.contact_sheet import contact_sheet
from moderation.media.decode import (
    Luma,
    Picture,
    decode,
    decode_luma,
    is_moving,
    isolation,
)
from moderation.media.derivative import derivative
from moderation.media.frames import Frame, frames
from moderation.media.limits import (
    MAX_BYTES,
    MAX_FRAMES,
    MAX_PIXELS,
    Kind,
    MediaRefused,
)
from moderation.media.recognise import recognise
from moderation.media.sandbox import ALL_PROTECTIONS

__all__ = [
    "ALL_PROTECTIONS",
    "MAX_BYTES",
    "MAX_FRAMES",
    "MAX_PIXELS",
    "Frame",
    "Kind",
    "Luma",
    "MediaRefused",
    "Picture",
    "contact_sheet",
    "decode",
    "decode_luma",
    "derivative",
    "frames",
    "is_moving",
    "isolation",
    "recognise",
]
