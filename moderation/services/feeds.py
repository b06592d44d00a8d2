"""Partners' lists that are fetched: which there are, and what a person says about them."""

import json
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from moderation import tasks
from moderation.errors import Refusal
from moderation.models import AuditEntry, Feed, FeedFetch, HashBank, User
from moderation.pipeline import fetching
from moderation.platforms.outbound import Endpoint, UnsafeURLError
from moderation.storage import seal_text

# What each kind of partner gives an operator to prove who is asking.
CREDENTIALS = {
    Feed.Kind.STOPNCII: ("subscription_key", "fetch_key"),
    Feed.Kind.NCMEC: ("user", "password"),
    Feed.Kind.FILE: (),
}


class FeedExists(Refusal):
    """There is a feed, or a bank, of this name."""

    code = "feed_exists"


class FeedAddressRefused(Refusal):
    """No list is fetched from there."""

    code = "feed_address_refused"


class FeedCredentialsMissing(Refusal):
    """The partner will want to know who is asking."""

    code = "feed_credentials_missing"


class FeedBusy(Refusal):
    """A worker is reading it at this moment."""

    code = "feed_busy"


class FeedNotQuarantined(Refusal):
    """There is nothing that waits to be let in."""

    code = "feed_not_quarantined"


@transaction.atomic
def add_feed(
    *,
    slug: str,
    kind: Feed.Kind,
    address: str,
    credentials: Mapping[str, str],
    actor: User | str,
    now: datetime,
    every_minutes: int = 15,
    growth_percent: int = 20,
) -> Feed:
    """Fetch a partner's list from now on, into a bank of its own whose matches hold and never remove.

    :raises FeedExists: if the name is taken.
    :raises FeedAddressRefused: for an address that nothing is ever sent to, or a path that is not absolute.
    :raises FeedCredentialsMissing: see ``CREDENTIALS``.
    """
    _check_address(kind, address)
    sealed = _sealed(kind, credentials)
    AuditEntry.lock()
    if _is_taken(slug):
        raise FeedExists(f"{slug} is the name of a bank already. Choose another one.")
    bank = HashBank.objects.create(
        slug=slug, name=slug, kind=HashBank.Kind.PARTNER, created_at=now
    )
    feed = Feed.objects.create(
        slug=slug,
        kind=kind,
        bank=bank,
        address=address.rstrip("/"),
        credentials_sealed=sealed,
        every_minutes=every_minutes,
        growth_percent=growth_percent,
        next_fetch_at=now,
    )
    AuditEntry.record(actor=actor, verb="feed.added", target=feed, kind=kind)
    return feed


def _is_taken(slug: str) -> bool:
    taken = HashBank.objects.filter(slug=slug).exists()
    return taken or Feed.objects.filter(slug=slug).exists()


def _check_address(kind: Feed.Kind, address: str) -> None:
    if kind == Feed.Kind.FILE:
        if not address.startswith("/"):
            raise FeedAddressRefused("Give the whole path of the file.")
        return
    if settings.EMBEDDED and address.startswith(("http://", "https://")):
        return
    try:
        endpoint = Endpoint.parse(address)
    except UnsafeURLError as error:
        raise FeedAddressRefused(str(error)) from None
    if "?" in endpoint.path:
        raise FeedAddressRefused("Give the base of the list, without a query.")


def _sealed(kind: Feed.Kind, credentials: Mapping[str, str]) -> bytes | None:
    names = CREDENTIALS[kind]
    missing = [name for name in names if not credentials.get(name)]
    if missing:
        raise FeedCredentialsMissing(f"Give the {' and the '.join(missing)} too.")
    if not names:
        return None
    text = json.dumps({name: credentials[name] for name in names})
    return seal_text(text, fetching.CREDENTIALS)


@transaction.atomic
def change_credentials(
    *, feed: Feed, credentials: Mapping[str, str], actor: User | str
) -> None:
    """
    :raises FeedCredentialsMissing: see ``CREDENTIALS``.
    """
    sealed = _sealed(Feed.Kind(feed.kind), credentials)
    AuditEntry.lock()
    feed.prove_with(sealed)
    AuditEntry.record(actor=actor, verb="feed.credentials_changed", target=feed)


@transaction.atomic
def release_feed(
    *, feed: Feed, actor: User | str, now: datetime, count: int | None = None
) -> int:
    """Let in what a quarantined feed has waiting: ``count`` hashes, or as many as were seen waiting.

    :returns: how many it may bring now.
    :raises FeedNotQuarantined: if nothing waits.
    """
    locked = Feed.objects.select_for_update().get(pk=feed.pk)
    if not locked.is_quarantined:
        raise FeedNotQuarantined(f"{feed.slug} is not quarantined.")
    most = locked.waiting_count if count is None else count
    locked.release(most, now)
    AuditEntry.record(actor=actor, verb="feed.released", target=feed, count=most)
    return most


@transaction.atomic
def switch_feed(*, feed: Feed, on: bool, actor: User | str, now: datetime) -> None:
    """Fetch it again, or no more. What it brought stays until it is revoked."""
    feed.switch(on, now)
    verb = "feed.resumed" if on else "feed.stopped"
    AuditEntry.record(actor=actor, verb=verb, target=feed)


def fetch_now(*, feed: Feed, now: datetime) -> FeedFetch:
    """Read all that the partner has, here and now, in this process.

    :returns: the last fetch: DONE, or with the code of what went wrong.
    :raises FeedBusy: if a worker is at it.
    """
    work = _mine(feed, now)
    while following := fetching.fetch(work, now):
        work = following
    work.refresh_from_db()
    if feed.fetches.filter(added_count__gt=0, ordered_at__gte=now).exists():
        tasks.ring(tasks.search_past, 0)
    return work


def _mine(feed: Feed, now: datetime) -> FeedFetch:
    ordered = fetching.order_fetch(feed, now)
    if ordered is not None:
        return ordered
    waiting = feed.fetches.filter(work_state=FeedFetch.WorkState.WAITING).first()
    if waiting is None:
        raise FeedBusy("A worker is fetching it at this moment. Try again in a minute.")
    waiting.hurry(now)
    return waiting
