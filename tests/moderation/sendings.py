"""Pictures as platforms send them, and fingerprints as people bank them."""

import io
from datetime import timedelta

from PIL import Image

from moderation import hashing, services
from moderation.media import decode
from moderation.models import BankedHash, Content, Platform, token
from tests.factories import NOW, HashBankFactory


def resaved(picture: bytes, quality: int = 70, scale: float = 0.6) -> bytes:
    """What happens to a picture that goes through a messenger: smaller, another format, other bytes."""
    with Image.open(io.BytesIO(picture)) as image:
        size = (int(image.width * scale), int(image.height * scale))
        out = io.BytesIO()
        image.convert("RGB").resize(size).save(out, "JPEG", quality=quality)
        return out.getvalue()


def receive(platform: Platform, picture: bytes, external_id: str = "post-1") -> Content:
    submission = services.Submission(
        external_id=external_id,
        account_id="kim",
        picture=picture,
        posted_at=NOW - timedelta(minutes=1),
    )
    content, _ = services.receive_content(
        platform=platform, submission=submission, now=NOW
    )
    return content


def bank(picture: bytes, source: str | None = None) -> BankedHash:
    print_ = hashing.pdq(decode(picture).pixels)
    return services.bank_hash(
        bank=HashBankFactory().slug,
        signal_type="pdq",
        value=print_.hash,
        quality=print_.quality,
        source_ref=source or token(),
        actor="public",
        now=NOW,
    )


def drawing() -> bytes:
    """A synthetic picture with enough in it for a fingerprint."""
    image = Image.effect_noise((64, 64), 90).resize((400, 300))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def edited(picture: bytes) -> bytes:
    """Cut on one side: more than 4 bits and less than 31 from the whole."""
    with Image.open(io.BytesIO(picture)) as image:
        out = io.BytesIO()
        image.convert("RGB").crop((0, 0, image.width - 8, image.height)).save(
            out, "JPEG", quality=40
        )
        return out.getvalue()
