"""What classifiers see in a picture. Nothing here decides anything."""

from moderation.detection.nudity import Detected, score
from moderation.detection.registry import (
    OPEN_NSFW,
    REGISTRY,
    Model,
    ModelUnavailable,
    load,
)

__all__ = [
    "OPEN_NSFW",
    "REGISTRY",
    "Detected",
    "Model",
    "ModelUnavailable",
    "load",
    "score",
]
