"""Everything we can tell a picture by."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moderation.hashing.box import content_box
from moderation.hashing.pdq import Pdq, pdq_forms
from moderation.hashing.phash import phash

BOX_RECIPE: Final = "pdq-box-1"  # stored beside each PDQ hash of a content box


@dataclass(frozen=True)
class PictureHashes:
    """The PDQ hashes of a picture and, if bars surround it, of what is inside them; and its pHash, if asked for.

    `forms` are the eight of `pdq_dihedral`, the first being `whole.hash`; a picture asks the banks with all of them.
    """

    whole: Pdq
    forms: tuple[bytes, ...] = field(repr=False)
    box: Pdq | None
    box_forms: tuple[bytes, ...] = field(repr=False)
    phash: bytes | None = field(repr=False)


def picture_hashes(
    pixels: NDArray[np.uint8], *, with_phash: bool = True
) -> PictureHashes:
    """Hash RGB pixels or luma of 8 bits; a third of the time for luma.

    :param with_phash: it costs as much as all the others together.
    """
    whole, forms = pdq_forms(pixels)
    found = content_box(pixels)
    box, box_forms = pdq_forms(found.cut(pixels)) if found else (None, ())
    alike = phash(pixels) if with_phash else None
    return PictureHashes(whole, forms, box, box_forms, alike)
