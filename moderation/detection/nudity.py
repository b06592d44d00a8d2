"""How likely a picture is explicit, by open_nsfw. A score raises attention; people decide."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from moderation.detection.registry import OPEN_NSFW, Model, load

RESIZED: Final = 256
CROPPED: Final = 224
MARGIN: Final = (RESIZED - CROPPED) // 2
MEAN_BGR: Final = np.array([104, 117, 123], np.float32)
LABEL: Final = "nsfw"


@dataclass(frozen=True)
class Detected:
    """What one model saw, as a score from 0 to 1."""

    model: str
    version: str
    label: str
    score: float


def score(pixels: NDArray[np.uint8], *, model: Model = OPEN_NSFW) -> list[Detected]:
    """Score RGB pixels; `model` may be an open_nsfw of the operator's own, at another path.

    :raises ModelUnavailable: if the model's file is not what it must be.
    """
    session = load(model)
    feed = {session.get_inputs()[0].name: _prepared(pixels)[None]}
    (rows,) = session.run(None, feed)
    value = float(rows[0, model.labels.index(LABEL)])
    return [Detected(model.name, model.version, LABEL, min(1.0, max(0.0, value)))]


def _prepared(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """As in training: 256 to a side, the middle 224, saved as JPEG, BGR around its mean."""
    image = Image.fromarray(pixels)
    image = image.resize((RESIZED, RESIZED), Image.Resampling.BILINEAR)
    image = image.crop((MARGIN, MARGIN, MARGIN + CROPPED, MARGIN + CROPPED))
    with BytesIO() as saved:
        image.save(saved, "JPEG")  # leaving this out moves scores by up to 0.016
        rgb = np.asarray(Image.open(saved), np.float32)
    return np.ascontiguousarray(rgb[:, :, ::-1] - MEAN_BGR)
