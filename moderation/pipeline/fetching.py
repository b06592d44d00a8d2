"""A partner's list is read into the bank of its own, page by page, and its withdrawals with it (T-27).

Each record has a source of its own, found again from the partner's key of it: a page that is read twice does nothing
the second time, and a withdrawal takes out exactly what that record brought. What is more than the feed may grow in a
day quarantines it: then only withdrawals are read on, and the rest waits with the partner until a person lets it in.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction

from moderation.models import BankedHash, Feed, FeedFetch
from moderation.models.banks import BankedHashQuerySet
from moderation.pipeline.accepting import HashRefused, check_hash
from moderation.pipeline.feed_files import read_file
from moderation.pipeline.taking_in import Coming, Draft, Turns, drafted, take_in
from moderation.pipeline.withdrawing import take_out
from moderation.platforms import PlatformError
from moderation.platforms.feeds import Page, Record, open_client
from moderation.storage import blind_index, open_text

CREDENTIALS: Final = "feed"  # what they are sealed for
# Well below the time limit of a task: a page takes up to a minute, and what it holds another half.
_SECONDS: Final = 45.0
_AT_ONCE: Final = 1000
# Each one that is withdrawn has an audit entry of its own.
_OUT_AT_ONCE: Final = 200
_KEPT: Final = timedelta(days=90)

_T = TypeVar("_T")
# What a feed has under each of its sources now: nothing, if that was withdrawn.
Wanted = Mapping[str, Sequence[Coming]]


def order_fetches(now: datetime) -> None:
    """A fetch for each feed whose time has come and that has none open; what is long over is forgotten."""
    for feed in Feed.objects.filter(is_enabled=True, next_fetch_at__lte=now):
        order_fetch(feed, now)
    over = FeedFetch.objects.filter(work_state__in=["DONE", "DEAD", "CANCELLED"])
    over.filter(ordered_at__lt=now - _KEPT).delete()


def order_fetch(feed: Feed, now: datetime) -> FeedFetch | None:
    """None if there is one already that waits or runs."""
    try:
        with transaction.atomic():
            return FeedFetch.objects.create(
                feed=feed, ordered_at=now, next_attempt_at=now
            )
    except IntegrityError:
        return None


def fetch(work: FeedFetch, now: datetime) -> FeedFetch | None:
    """Carry a fetch through, as far as a task's time goes; twice equals once.

    :returns: the fetch that goes on from there, for the caller to ring for.
    """
    if not work.start(now):
        return None
    feed = work.feed
    feed.rest(now + timedelta(minutes=feed.every_minutes))
    try:
        is_through = _Reading(work, now).run()
    except PlatformError as error:
        end = work.retry if error.retryable else work.give_up
        end(now, error.code)
        return None
    if not work.finish(now):
        return None  # another worker has taken it over
    if not is_through:
        return order_fetch(feed, now)
    Feed.objects.get(pk=feed.pk).complete(now)
    return None


def source_of(feed: Feed, key: str) -> str:
    """The source under which a record of the partner is banked: opaque, and always the same."""
    return blind_index(key.encode(), f"feed/{feed.slug}")[:32]


class _Reading:
    """One reading of a feed, from where the last one ended."""

    def __init__(self, work: FeedFetch, now: datetime) -> None:
        self._work, self._now = work, now
        self._feed = Feed.objects.select_related("bank").get(pk=work.feed_id)
        self._turns = Turns(_AT_ONCE)
        self._until = time.monotonic() + _SECONDS

    def run(self) -> bool:
        """Whether all that the partner has was read.

        :raises PlatformError: if there is nothing to read, or it cannot be trusted.
        """
        feed = self._feed
        if feed.is_new_day(self._now):
            feed.begin_day(BankedHash.objects.filter(bank=feed.bank).count(), self._now)
        return self._run_file() if feed.kind == Feed.Kind.FILE else self._run_pages()

    def _run_pages(self) -> bool:
        client = open_client(
            self._feed.kind,
            _credentials(self._feed),
            self._feed.address,
            is_open=settings.EMBEDDED,
        )
        while True:
            was_quarantined = self._feed.is_quarantined
            page = client.page(self._feed.place, self._now)
            for some in _batches(self._wanted(page).items(), _AT_ONCE):
                self._apply(dict(some))
            if not self._moved(page, was_quarantined):
                return False
            if page.is_last:
                return True
            if self._is_late:
                return False

    def _run_file(self) -> bool:
        read = read_file(Path(self._feed.address))
        if self._feed.place.get("digest") == read.digest:
            return True
        records = [
            Record(
                f"{row.signal_type}:{row.value.hex()}", ((row.signal_type, row.value),)
            )
            for row in read.rows
        ]
        wanted = self._wanted(Page(tuple(records), {}, True, read.refused_count))
        had = set(self._rows().values_list("source_ref", flat=True))
        lost = had - wanted.keys()
        if len(lost) > self._feed.allowance:
            # Half a file would take half a bank out.
            raise PlatformError("file_shrank", retryable=False)
        self._feed.wait_with(0)
        changed: dict[str, Sequence[Coming]] = dict.fromkeys(lost, ())
        changed |= {source: wanted[source] for source in wanted.keys() - had}
        for some in _batches(changed.items(), _AT_ONCE):
            if self._is_late:
                return False
            self._apply(dict(some))
        if not self._feed.is_quarantined:
            self._feed.move({"digest": read.digest})
        return True

    @property
    def _is_late(self) -> bool:
        return time.monotonic() > self._until

    def _rows(self) -> BankedHashQuerySet:
        return BankedHash.objects.filter(bank=self._feed.bank)

    def _wanted(self, page: Page) -> Wanted:
        found: dict[str, Sequence[Coming]] = {}
        refused = page.refused_count
        for record in page.records:
            source = source_of(self._feed, record.key)
            good = _good(record, source)
            refused += len(record.hashes) - len(good)
            if good or not record.hashes:
                found[source] = good
        self._work.count(refused=refused)
        return found

    def _apply(self, wanted: Wanted) -> None:
        """Make the bank hold, of these sources, just this."""
        drafts = drafted(row for rows in wanted.values() for row in rows)
        keys = {draft.key for draft in drafts}
        columns = ("source_ref", "signal_type", "value_index", "pk")
        rows = self._rows().filter(source_ref__in=list(wanted)).values_list(*columns)
        known = {(source, kind, index): pk for source, kind, index, pk in rows}
        self._withdraw([pk for key, pk in known.items() if key not in keys])
        self._add([draft for draft in drafts if draft.key not in known])

    def _withdraw(self, keys: list[int]) -> None:
        for some in _batches(keys, _OUT_AT_ONCE):
            with self._turns.turn(len(some)):
                count = take_out(self._rows().filter(pk__in=some), "worker", self._now)
            self._work.count(withdrawn=count)

    def _add(self, drafts: list[Draft]) -> None:
        if not drafts:
            return
        with self._turns.turn(len(drafts)), transaction.atomic():
            feed = self._locked()
            if not feed.is_quarantined and len(drafts) > feed.allowance:
                feed.quarantine(self._now)
            if feed.is_quarantined:
                feed.wait_with(feed.waiting_count + len(drafts))
                return
            count = take_in(feed.bank, drafts, "worker", self._now, fetch=self._work.pk)
            feed.grow(count)
            self._work.count(added=count)

    def _moved(self, page: Page, was_quarantined: bool) -> bool:
        """Note how far it is. Not if a person let things in meanwhile: what was left out is read again first."""
        with transaction.atomic():
            feed = self._locked()
            if was_quarantined and not feed.is_quarantined:
                return False
            feed.move(page.place)
            return True

    def _locked(self) -> Feed:
        rows = Feed.objects.select_for_update(of=("self",)).select_related("bank")
        self._feed = rows.get(pk=self._feed.pk)
        return self._feed


def _good(record: Record, source: str) -> list[Coming]:
    """The hashes of a record that a bank takes."""
    good = []
    for kind, value in record.hashes:
        try:
            check_hash(kind, value, None)
        except HashRefused:
            continue
        good.append(Coming(kind, value, None, source))
    return good


def _credentials(feed: Feed) -> dict[str, str]:
    if feed.credentials_sealed is None:
        return {}
    found: dict[str, str] = json.loads(open_text(feed.credentials_sealed, CREDENTIALS))
    return found


def _batches(every: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(every)
    while some := list(islice(rest, size)):
        yield some
