"""What ``threatexchange`` needs of ``pdqhash``, which has no wheels: the same bits, by our own hasher."""

import numpy as np

from moderation.hashing import pdq


def compute(picture: np.ndarray) -> tuple[np.ndarray, int]:
    """256 bits, first the highest, and the quality."""
    found = pdq(picture)
    return np.unpackbits(np.frombuffer(found.hash, np.uint8)), found.quality
