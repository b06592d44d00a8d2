"""The way out to the platforms: the only modules of this project that open a connection to somebody else's server."""

from moderation.platforms.base import (
    Confirmation,
    PlatformAdapter,
    PlatformError,
    Target,
    get_platform,
)

__all__ = [
    "Confirmation",
    "PlatformAdapter",
    "PlatformError",
    "Target",
    "get_platform",
]
