"""A partner that can be fetched from, and feeds that do."""

import secrets
from collections.abc import Callable, Iterator

import pytest

from moderation.hashing import plausible
from moderation.models import BankedHash, Feed, FeedFetch
from moderation.pipeline import Query, find
from moderation.services import feeds
from tests.factories import NOW
from tests.moderation.feeds.partner import Partner

KEYS = {
    Feed.Kind.STOPNCII: {"subscription_key": "sub-secret", "fetch_key": "fetch-secret"},
    Feed.Kind.NCMEC: {"user": "hub", "password": "pass-secret"},
    Feed.Kind.FILE: {},
}
AddFeed = Callable[..., Feed]


@pytest.fixture
def partner() -> Iterator[Partner]:
    partner = Partner()
    partner.open()
    yield partner
    partner.close()


@pytest.fixture
def add_feed(partner: Partner, db: None) -> AddFeed:
    def added(kind: Feed.Kind = Feed.Kind.STOPNCII, slug: str = "list", **more) -> Feed:
        about = {"address": partner.address, "credentials": KEYS[kind], **more}
        return feeds.add_feed(slug=slug, kind=kind, actor="operator", now=NOW, **about)

    return added


def pdqs(count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        value = secrets.token_bytes(32)
        if plausible(value):
            found.append(value.hex())
    return found


def fetched(feed: Feed, now=NOW) -> FeedFetch:
    last = feeds.fetch_now(feed=feed, now=now)
    feed.refresh_from_db()
    return last


def is_matched(value: str) -> bool:
    return bool(find(Query(pdq=[bytes.fromhex(value)])))


def banked(feed: Feed) -> int:
    return BankedHash.objects.filter(bank=feed.bank).count()
