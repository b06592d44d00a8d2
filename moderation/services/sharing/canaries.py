"""Fingerprints of nothing on a partner's list: whoever asks about one has the list from that partner (T-25)."""

import secrets
import time
from collections.abc import Collection
from datetime import datetime

import structlog
from django.db import transaction

from moderation.models import (
    AuditEntry,
    ListClock,
    ListedHash,
    ListedSource,
    Platform,
    User,
    token,
)
from moderation.pipeline.listing import PURPOSE
from moderation.storage import blind_index, seal_value

_BITS = 256
_log = structlog.get_logger(__name__)


@transaction.atomic
def plant_canaries(
    *, partner: Platform, count: int, actor: User | str, now: datetime
) -> None:
    """Put lines on a partner's list that nothing tells from those of a person's pictures, and that match nothing.

    They are on no other list and in no bank.
    """
    AuditEntry.lock()
    second = ListClock.tick(now)
    values = [_nothing() for _ in range(count)]
    lines = ListedHash.objects.bulk_create(
        ListedHash(
            partner=partner,
            signal_type="pdq",
            value_sealed=seal_value(value, PURPOSE),
            value_index=blind_index(value, "pdq"),
            is_canary=True,
            listed_second=second,
            changed_second=second,
        )
        for value in values
    )
    ListedSource.objects.bulk_create(
        ListedSource(listed=line, source_ref=token()) for line in lines
    )
    AuditEntry.record(
        actor=actor, verb="share.canaries_planted", target=partner, count=count
    )


def _nothing() -> bytes:
    """256 bits of which half are set, as the median of a picture's own splits them."""
    chosen = secrets.SystemRandom().sample(range(_BITS), _BITS // 2)
    return sum(1 << bit for bit in chosen).to_bytes(_BITS // 8, "big")


def may_be_canaries(indexes: Collection[str]) -> bool:
    """Cheap, for every look-up: asks the database once a minute which canaries there are."""
    now = time.monotonic()
    if now >= _known.until:
        rows = ListedHash.objects.filter(is_canary=True)
        _known.indexes = frozenset(rows.values_list("value_index", flat=True))
        _known.until = now + _KNOWN_SECONDS
    return not _known.indexes.isdisjoint(indexes)


class _Known:
    """Which canaries this process knows of, and until when."""

    indexes: frozenset[str] = frozenset()
    until = 0.0


_known = _Known()
_KNOWN_SECONDS = 60.0


def canary_alarm(*, platform: Platform, indexes: Collection[str]) -> bool:
    """Whether one of these blind indexes of PDQ hashes that a platform asks about is a canary's. One short query.

    An operator must hear of it: that partner's list is in other hands, or it asks about its list itself.
    """
    found = ListedHash.objects.filter(is_canary=True, value_index__in=indexes)
    partners = set(found.values_list("partner__alias", flat=True))
    for alias in sorted(partners):
        _log.error("canary_queried", partner=alias, platform=platform.alias)
    return bool(partners)
