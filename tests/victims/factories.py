"""A case as a person has it, and fingerprints that a picture could have."""

import random
from datetime import datetime

from moderation.models import AuditEntry
from tests.factories import NOW, HashBankFactory
from victims import services
from victims.models import Case

PIN = "a lantern 77 river"


def fingerprint(seed: int) -> str:
    """64 hex digits with half of the bits set, as a median split gives."""
    bits = [1] * 128 + [0] * 128
    random.Random(seed).shuffle(bits)  # noqa: S311 (the same for the same seed)
    return f"{int(''.join(map(str, bits)), 2):064x}"


def open_case(
    *seeds: int, pin: str = PIN, language: str = "en", now: datetime = NOW
) -> tuple[Case, str]:
    HashBankFactory()
    return services.open_case(
        fingerprints=[(fingerprint(seed), 80) for seed in seeds or (1,)],
        pin=pin,
        language=language,
        now=now,
    )


def recorded(verb: str) -> list[AuditEntry]:
    return [entry for entry in AuditEntry.objects.all() if entry.facts["verb"] == verb]
