"""Fetch partners' lists of fingerprints into banks of their own: StopNCII, NCMEC, or a file.

Without a name, the feeds and how they are. With one, everything that the partner has, now; a worker does the same every
15 minutes. Credentials are asked for, or read from --credentials-file (a line each); they are never arguments.
"""

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from moderation.errors import Refusal
from moderation.models import Feed, FeedFetch
from moderation.services import feeds

_ADDRESSES = {Feed.Kind.STOPNCII: "https://api.stopncii.org/v1"}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("slug", nargs="?", help="the name of the feed")
        deeds = parser.add_mutually_exclusive_group()
        deeds.add_argument("--add", action="store_true", help="a new feed")
        deeds.add_argument(
            "--release", action="store_true", help="let in what waits in quarantine"
        )
        deeds.add_argument("--stop", action="store_true", help="fetch it no more")
        deeds.add_argument("--resume", action="store_true", help="fetch it again")
        deeds.add_argument(
            "--credentials", action="store_true", help="change the credentials"
        )
        parser.add_argument("--kind", type=str.upper, choices=Feed.Kind.values)
        parser.add_argument("--address", help="base of the list, or path of the file")
        parser.add_argument("--credentials-file", type=Path)
        parser.add_argument("--every", type=int, default=15, metavar="MINUTES")
        parser.add_argument("--growth", type=int, default=20, metavar="PERCENT")
        parser.add_argument("--count", type=int, help="how many to let in")

    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: for whatever is refused, and for a fetch that failed.
        """
        if options["slug"] is None:
            self._list()
            return
        try:
            if options["add"]:
                self._add(options)
            else:
                self._do(self._feed(options["slug"]), options)
        except (OSError, Refusal) as error:
            raise CommandError(str(error)) from None

    def _list(self) -> None:
        for feed in Feed.objects.select_related("bank").order_by("slug"):
            state = "quarantined" if feed.is_quarantined else "fetched"
            if not feed.is_enabled:
                state = "stopped"
            self.stdout.write(f"{feed.slug}: {feed.kind}, {state}")
            self.stdout.write(f"  hashes: {feed.bank.hashes.count()}")
            self.stdout.write(f"  last read through: {feed.fetched_at or 'never'}")
            if feed.is_quarantined:
                self.stdout.write(f"  waiting: {feed.waiting_count}")
            last = feed.fetches.exclude(error_code="").order_by("-pk").first()
            if last is not None:
                self.stdout.write(f"  last error: {last.error_code}")

    def _feed(self, slug: str) -> Feed:
        feed = Feed.objects.filter(slug=slug).first()
        if feed is None:
            raise CommandError(f"There is no feed named {slug}. Add it with --add.")
        return feed

    def _add(self, options: dict[str, Any]) -> None:
        if options["kind"] is None:
            raise CommandError("Say what --kind of list it is.")
        kind = Feed.Kind(options["kind"])
        address = options["address"] or _ADDRESSES.get(kind)
        if not address:
            raise CommandError("Say at which --address the list is.")
        if not 1 <= options["every"] <= 10_000 or not 0 <= options["growth"] <= 1000:
            raise CommandError("--every is 1 to 10000, --growth is 0 to 1000.")
        feed = feeds.add_feed(
            slug=options["slug"],
            kind=kind,
            address=address,
            credentials=self._credentials(kind, options),
            every_minutes=options["every"],
            growth_percent=options["growth"],
            actor="operator",
            now=timezone.now(),
        )
        self.stdout.write(f"{feed.slug}: added; it is fetched within a minute")

    def _do(self, feed: Feed, options: dict[str, Any]) -> None:
        now = timezone.now()
        if options["release"]:
            count = feeds.release_feed(
                feed=feed, count=options["count"], actor="operator", now=now
            )
            self.stdout.write(f"{feed.slug}: {count} more may come in")
        elif options["stop"] or options["resume"]:
            on = bool(options["resume"])
            feeds.switch_feed(feed=feed, on=on, actor="operator", now=now)
            self.stdout.write(f"{feed.slug}: {'resumed' if on else 'stopped'}")
        elif options["credentials"]:
            asked = self._credentials(Feed.Kind(feed.kind), options)
            feeds.change_credentials(feed=feed, credentials=asked, actor="operator")
            self.stdout.write(f"{feed.slug}: credentials changed")
        else:
            self._fetch(feed)

    def _fetch(self, feed: Feed) -> None:
        began_at = timezone.now()
        last = feeds.fetch_now(feed=feed, now=began_at)
        fetches = feed.fetches.filter(pk__lte=last.pk, done_at__gte=began_at)
        for name in ("added", "withdrawn", "refused"):
            count = sum(getattr(each, f"{name}_count") for each in fetches)
            self.stdout.write(f"{name}: {count}")
        feed.refresh_from_db()
        if feed.is_quarantined:
            self.stdout.write(
                f"waiting: {feed.waiting_count}, more than it may grow in a day. Let it in with --release."
            )
        if last.work_state != FeedFetch.WorkState.DONE:
            raise CommandError(f"The fetch failed: {last.error_code}")

    def _credentials(self, kind: Feed.Kind, options: dict[str, Any]) -> dict[str, str]:
        names = feeds.CREDENTIALS[kind]
        if options["credentials_file"]:
            lines = options["credentials_file"].read_text().splitlines()
        elif names and sys.stdin.isatty():
            lines = [getpass.getpass(f"{name}: ") for name in names]
        else:
            lines = [sys.stdin.readline() for _ in names]
        return dict(zip(names, map(str.strip, lines), strict=False))
