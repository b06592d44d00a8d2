"""What a partner gives in return: fingerprints of its own, and its word on those that it was given."""

from collections.abc import Sequence
from datetime import datetime

from moderation.models import (
    BankedHash,
    HashBank,
    ListedHash,
    ListedSource,
    Platform,
)
from moderation.services import banks
from moderation.services.sharing.canaries import canary_alarm
from moderation.storage import blind_index


def take_hashes(
    *, partner: Platform, given: Sequence[banks.Given], now: datetime
) -> int:
    """Bank what a partner sends in a bank of its own, opened for it with the first ones. All of them, or none.

    :returns: how many there were.
    :raises HashRefused: naming the place of the first one that no picture has.
    :raises TooMany: for more than 1,000.
    """
    # Whoever sends one has it from somebody's list.
    indexes = [
        blind_index(one.value, "pdq") for one in given if one.signal_type == "pdq"
    ]
    canary_alarm(platform=partner, indexes=indexes)
    home = _home(partner, now)
    return len(
        banks.add_fingerprints(bank=home, platform=partner, given=given, now=now)
    )


def _home(partner: Platform, now: datetime) -> HashBank:
    """Its number and not its alias in the name: that may be as long as a name can be."""
    slug = f"exchange-{partner.pk}"
    bank, _ = HashBank.objects.get_or_create(
        slug=slug,
        defaults={
            "name": f"Sent by {partner.name}"[:80],
            "kind": HashBank.Kind.PARTNER,
            "owner": partner,
            "created_at": now,
        },
    )
    return bank


def take_opinion(
    *,
    partner: Platform,
    signal_type: str,
    value: bytes,
    is_right: bool | None,
    now: datetime,
) -> bool:
    """Keep a partner's word on the fingerprints behind a line of its list.

    :returns: whether the value is on its list; of any other it learns nothing.
    """
    index = blind_index(value, signal_type)
    listed = ListedHash.objects.active().filter(
        partner=partner, signal_type=signal_type, value_index=index
    )
    line = listed.defer("value_sealed").first()
    if line is None:
        return False
    if is_right is not None:
        sources = ListedSource.objects.active().filter(listed=line)
        rows = BankedHash.objects.filter(
            value_index=index,
            signal_type=signal_type,
            source_ref__in=sources.values("source_ref"),
        )
        for row in rows.select_related("bank").order_by("pk"):
            banks.give_opinion(hash=row, platform=partner, is_right=is_right, now=now)
    return True
