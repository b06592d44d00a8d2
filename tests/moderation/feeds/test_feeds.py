"""Feeds are added, fetched in their time, stopped and released by an operator."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from moderation import pipeline, tasks
from moderation.models import Feed, FeedFetch
from moderation.pipeline.fetching import order_fetch, order_fetches, source_of
from moderation.services import feeds
from tests.factories import NOW, HashBankFactory
from tests.moderation.feeds.conftest import KEYS, banked, fetched, pdqs

LATER = NOW + timedelta(hours=1)
FILE = Feed.Kind.FILE


class TestScheduling:
    def test_fetches_what_is_due_and_nothing_else(self, partner, add_feed):
        partner.add(pdqs(1)[0])
        due, resting, stopped = add_feed(), add_feed(slug="b"), add_feed(slug="c")
        Feed.objects.filter(pk=resting.pk).update(next_fetch_at=LATER)
        feeds.switch_feed(feed=stopped, on=False, actor="operator", now=NOW)

        order_fetches(NOW)
        order_fetches(NOW)

        assert FeedFetch.objects.get().feed == due

    def test_is_carried_by_a_worker_to_the_end(self, partner, add_feed, monkeypatch):
        monkeypatch.setattr("moderation.pipeline.fetching._SECONDS", -1.0)
        rung: list[tuple[str, int]] = []
        monkeypatch.setattr(
            tasks, "ring", lambda task, pk: rung.append((task.name.split(".")[-1], pk))
        )
        for at, value in enumerate(pdqs(5)):
            partner.add(value, at=at + 20)
        feed = add_feed()

        tasks.order_fetches()
        while fetches := [pk for name, pk in rung if name == "fetch_feed"]:
            rung.clear()
            tasks.fetch_feed(fetches[0])

        assert banked(feed) == 5
        assert [each.added_count for each in feed.fetches.order_by("pk")] == [3, 2]
        feed.refresh_from_db()
        assert feed.fetched_at is not None
        assert feed.next_fetch_at > feed.fetched_at
        assert "feeds" in settings_schedule()

    def test_is_done_by_one_worker(self, partner, add_feed):
        work = order_fetch(add_feed(), NOW)
        assert work is not None
        other = FeedFetch.objects.get(pk=work.pk)
        assert other.start(NOW)

        assert pipeline.fetch(work, NOW) is None
        assert partner.asked == []

    def test_a_person_gets_the_first_word_over_a_worker_that_runs(
        self, partner, add_feed
    ):
        feed = add_feed()
        work = order_fetch(feed, NOW)
        assert work is not None
        work.start(NOW)

        with pytest.raises(feeds.FeedBusy):
            feeds.fetch_now(feed=feed, now=NOW)


def settings_schedule() -> dict[str, object]:
    from config import celery_options  # noqa: PLC0415

    return celery_options.beat_schedule


class TestAddFeed:
    @pytest.mark.parametrize(
        "address",
        [
            "http://lists.example.org/v1",
            "https://10.0.0.1/v1",
            "https://localhost/v1",
            "https://lists.example.org:8443/v1",
            "https://user@lists.example.org/v1",
            "https://lists.example.org/v1?a=b",
            "ftp://lists.example.org",
        ],
    )
    def test_refuses_addresses_that_nothing_is_sent_to(self, db, monkeypatch, address):
        monkeypatch.setattr(settings, "EMBEDDED", False)

        with pytest.raises(feeds.FeedAddressRefused):
            feeds.add_feed(
                slug="list",
                kind=Feed.Kind.STOPNCII,
                address=address,
                credentials=KEYS[Feed.Kind.STOPNCII],
                actor="operator",
                now=NOW,
            )

    def test_refuses_a_path_that_depends_on_where_one_stands(self, add_feed):
        with pytest.raises(feeds.FeedAddressRefused):
            add_feed(FILE, address="list.txt")

    def test_refuses_to_ask_without_credentials(self, add_feed):
        with pytest.raises(feeds.FeedCredentialsMissing, match="fetch_key"):
            add_feed(credentials={"subscription_key": "a"})

    def test_refuses_the_name_of_a_bank(self, add_feed):
        HashBankFactory(slug="list")

        with pytest.raises(feeds.FeedExists):
            add_feed()

    def test_gives_each_record_a_source_that_tells_nothing(self, add_feed):
        one, other = add_feed(), add_feed(slug="other")
        (value,) = pdqs(1)

        refs = {source_of(feed, f"pdq:{value}") for feed in (one, other)}

        assert len(refs) == 2
        assert all(len(ref) == 32 and ref not in value for ref in refs)


class TestCommand:
    def run(self, *words: str) -> None:
        call_command("fetch_exchange", *words)

    @pytest.fixture
    def keys(self, tmp_path):
        path = tmp_path / "keys"
        path.write_text("sub-secret\nfetch-secret\n")
        return str(path)

    def test_adds_fetches_lists_and_releases(
        self, db, partner, keys, capsys, monkeypatch
    ):
        monkeypatch.setattr("moderation.models.feeds.SMALL", 1)
        for value in pdqs(3):
            partner.add(value)
        about = ("--kind", "stopncii", "--address", partner.address)

        self.run("list", "--add", *about, "--credentials-file", keys)
        self.run("list")
        self.run()
        self.run("list", "--release")
        self.run("list")

        said = capsys.readouterr().out
        assert "waiting: 3" in said
        assert "list: STOPNCII, quarantined" in said
        assert "list: 3 more may come in" in said
        assert "added: 3" in said
        assert "secret" not in said
        assert partner.headers[0]["x-functions-key"] == "fetch-secret"

    def test_reads_credentials_from_stdin(self, db, partner, monkeypatch):
        lines = iter(["sub-secret\n", "fetch-secret\n"])
        monkeypatch.setattr("sys.stdin.readline", lambda: next(lines), raising=False)
        monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)

        self.run("list", "--add", "--kind", "stopncii", "--address", partner.address)

        assert Feed.objects.get().credentials_sealed is not None

    def test_stops_and_resumes(self, add_feed):
        feed = add_feed()
        self.run("list", "--stop")
        feed.refresh_from_db()
        assert not feed.is_enabled

        self.run("list", "--resume")

        feed.refresh_from_db()
        assert feed.is_enabled

    def test_changes_credentials(self, add_feed, partner, tmp_path):
        feed = add_feed()
        path = tmp_path / "new"
        path.write_text("new-sub\nnew-fetch\n")

        self.run("list", "--credentials", "--credentials-file", str(path))
        feed.refresh_from_db()
        fetched(feed)

        assert partner.headers[0]["x-functions-key"] == "new-fetch"

    def test_says_what_went_wrong(self, add_feed, partner):
        add_feed()
        partner.reply = lambda *_: (500, b"")

        with pytest.raises(CommandError, match="busy"):
            self.run("list")

    @pytest.mark.parametrize(
        "words",
        [("list",), ("list", "--add"), ("list", "--add", "--kind", "ncmec")],
    )
    def test_refuses_what_it_cannot_do(self, db, words):
        with pytest.raises(CommandError):
            self.run(*words)
