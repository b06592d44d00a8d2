"""The look back: what was posted before is searched for fingerprints that are new, as if they had been banked then."""

import time
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Max

from moderation.models import (
    AuditEntry,
    BankedHash,
    Content,
    Enforcement,
    Fingerprint,
    LookBack,
)
from moderation.models.banks import BankedHashQuerySet
from moderation.pipeline.comparing import Stored, compare
from moderation.pipeline.findings import Finding
from moderation.pipeline.listing import on_changed
from moderation.pipeline.raising import act_on
from moderation.storage import open_value

_AT_ONCE = 20_000  # banked hashes in one pass
_ROWS = 4096  # stored fingerprints between two notes of how far it is
_SECONDS = 60.0  # then the worker does something else, and the pass goes on later
# A private picture is not in so many places: a picture that is may be nobody's to ban (T-18).
WIDELY_SEEN_CONTENTS = 50
WIDELY_SEEN_ACCOUNTS = 20
_KEPT_PER_HASH = 2000


def gather(now: datetime) -> LookBack | None:
    """One pass for all fingerprints that no pass has yet; None if there are none."""
    with transaction.atomic():
        search = LookBack.objects.create(ordered_at=now, next_attempt_at=now)
        first = BankedHash.objects.unsearched().order_by("pk")[:_AT_ONCE]
        keys = list(first.values_list("pk", flat=True))
        # Asked again in the update: another worker may have taken some of them.
        mine = BankedHash.objects.unsearched().filter(pk__in=keys)
        if not mine.update(look_back=search):
            search.delete()
            return None
    return search


def look_back(search: LookBack, now: datetime) -> tuple[list[Enforcement], bool]:
    """Carry a pass on, and through if there is time; twice equals once.

    :returns: the enforcements that were ordered, for the caller to ring for, and whether it must go on.
    """
    if not search.start(now):
        return [], False
    if not search.total_count:
        _begin(search)
    if not _passed(search):
        return [], search.rest(now)
    ordered = _acted(search, now)
    with transaction.atomic():
        if search.finish(now):
            search.hashes.update(searched_at=now)
    return ordered, False


def _begin(search: LookBack) -> None:
    last = Fingerprint.objects.aggregate(last=Max("pk"))["last"] or 0
    search.begin(last_id=last, total=Fingerprint.objects.count())


def _passed(search: LookBack) -> bool:
    """Compare until the end; false if the time is up, or another worker has taken over."""
    until = time.monotonic() + _SECONDS
    hashes = list(search.hashes.live().select_related("bank"))
    while rows := _stored(search):
        found = {
            (finding.hash.pk, content): finding
            for content, finding in compare([row for _, row in rows], hashes)
        }
        notes = [
            [hash, content, one.distance, one.threshold, int(one.only_review)]
            for (hash, content), one in found.items()
        ]
        if not search.move(cursor=rows[-1][0], seen=len(rows), found=notes):
            return False
        if time.monotonic() > until:
            return False
    return True


def _stored(search: LookBack) -> list[tuple[int, Stored]]:
    rows = Fingerprint.objects.filter(pk__gt=search.cursor, pk__lte=search.last_id)
    values = rows.order_by("pk").values_list(
        "pk", "content_id", "signal_type", "value_index", "value_sealed"
    )
    return [
        (pk, Stored(content, kind, index, open_value(sealed, "history")))
        for pk, content, kind, index, sealed in islice(values.iterator(), _ROWS)
    ]


def _acted(search: LookBack, now: datetime) -> list[Enforcement]:
    """All is known now: park what is in too many places, then raise what there is to raise, newest first."""
    live: BankedHashQuerySet = search.hashes.live().select_related("bank")
    hashes = {row.pk: row for row in live}
    by_hash: dict[int, list[int]] = {}
    by_content: dict[int, list[Finding]] = {}
    for hash, content, bits, threshold, only_review in search.found:
        if hash in hashes and len(by_hash.setdefault(hash, [])) < _KEPT_PER_HASH:
            by_hash[hash].append(content)
            finding = Finding(hashes[hash], bits, threshold, bool(only_review))
            by_content.setdefault(content, []).append(finding)
    for hash, contents in by_hash.items():
        _park_if_widely_seen(hashes[hash], contents, now)
    ordered = []
    for pk in sorted(by_content, reverse=True):
        hold = _raised(pk, by_content[pk], now)
        ordered += [hold] if hold else []
    return ordered


def _park_if_widely_seen(row: BankedHash, contents: list[int], now: datetime) -> None:
    if len(contents) <= WIDELY_SEEN_CONTENTS or row.parked_why:
        return
    found = Content.objects.filter(pk__in=contents)
    if found.values("account").distinct().count() <= WIDELY_SEEN_ACCOUNTS:
        return
    with transaction.atomic():
        AuditEntry.lock()
        row.park(BankedHash.Parked.WIDELY_SEEN)
        on_changed([row], now)
        AuditEntry.record(actor="worker", verb="bank.parked", target=row)


def _raised(pk: int, findings: list[Finding], now: datetime) -> Enforcement | None:
    rows = Content.objects.exclude(visibility=Content.Visibility.DELETED)
    content = rows.select_related("platform", "account").filter(pk=pk).first()
    if content is None:
        return None
    nearest = sorted(findings, key=lambda one: (one.only_review, one.distance))
    with transaction.atomic():
        _, hold = act_on(content, nearest, None, now)
    return hold
