"""The same picture again, as somebody would post it who saved it from a page: smaller, and compressed anew."""

import io

from PIL import Image

from moderation.media import MediaRefused, decode
from moderation.platforms.base import PlatformError

_SIDE = 900


def resaved(picture: bytes) -> bytes:
    """
    :raises PlatformError: if it is not a picture that can be opened.
    """
    try:
        opened = decode(picture)
    except MediaRefused as refusal:
        raise PlatformError(f"picture_{refusal.code}", retryable=False) from None
    image = Image.fromarray(opened.pixels)
    image.thumbnail((min(_SIDE, image.width * 9 // 10), _SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=70)
    return out.getvalue()
