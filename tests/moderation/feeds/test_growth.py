"""A file is a feed too; and no feed grows, or shrinks, by more than it may."""

from datetime import timedelta

import pytest

from moderation import pipeline
from moderation.models import AuditEntry, BankedHash, Feed
from moderation.services import feeds
from tests.factories import NOW
from tests.moderation.feeds.conftest import banked, fetched, is_matched, pdqs

LATER = NOW + timedelta(hours=1)
FILE = Feed.Kind.FILE


class TestFile:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "list.txt"

    def test_holds_what_the_file_holds(self, add_feed, path):
        one, two, three = pdqs(3)
        path.write_text(f"pdq {one}\npdq {two}\n")
        feed = add_feed(FILE, address=str(path))
        assert fetched(feed).added_count == 2
        path.write_text(f"pdq {two}\npdq {three}\nnonsense\n")

        done = fetched(feed, LATER)

        counts = done.added_count, done.withdrawn_count, done.refused_count
        assert counts == (1, 1, 1)
        assert [is_matched(v) for v in (one, two, three)] == [False, True, True]

    def test_reads_the_format_that_its_ending_names(self, add_feed, tmp_path):
        (value,) = pdqs(1)
        path = tmp_path / "list.csv"
        path.write_text(f"signal_type,value\npdq,{value}\n")

        assert fetched(add_feed(FILE, address=str(path))).added_count == 1

    @pytest.mark.parametrize(
        ("text", "code"), [(None, "file_missing"), ("nonsense", "file_unreadable")]
    )
    def test_keeps_what_it_has_if_the_file_is_gone(self, add_feed, path, text, code):
        path.write_text(f"pdq {pdqs(1)[0]}\n")
        feed = add_feed(FILE, address=str(path))
        fetched(feed)
        path.unlink()
        if text:
            path.write_text(text)

        assert fetched(feed, LATER).error_code == code
        assert banked(feed) == 1

    def test_does_not_believe_half_a_file(self, add_feed, path, monkeypatch):
        monkeypatch.setattr("moderation.models.feeds.SMALL", 3)
        path.write_text("".join(f"pdq {value}\n" for value in pdqs(3)))
        feed = add_feed(FILE, address=str(path))
        fetched(feed)
        path.write_text(f"pdq {pdqs(1)[0]}\n")

        failed = fetched(feed, LATER)

        assert (failed.work_state, failed.error_code) == ("DEAD", "file_shrank")
        assert banked(feed) == 3


class TestQuarantine:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch):
        monkeypatch.setattr("moderation.models.feeds.SMALL", 4)

    @pytest.fixture
    def feed(self, partner, add_feed) -> Feed:
        self.first = pdqs(3)
        for at, value in enumerate(self.first):
            partner.add(value, at=at + 20)
        feed = add_feed()
        fetched(feed)
        return feed

    def flood(self, partner) -> list[str]:
        values = pdqs(9)
        for at, value in enumerate(values):
            partner.add(value, at=at + 30)
        return values

    def test_sets_a_flood_aside_and_still_honours_withdrawals(self, partner, feed):
        values = self.flood(partner)
        partner.add(self.first[0], "Withdrawn", at=60)

        done = fetched(feed, LATER)

        assert done.work_state == "DONE"
        assert feed.is_quarantined
        assert not any(is_matched(value) for value in values[3:])
        assert not is_matched(self.first[0])
        assert is_matched(self.first[1])
        assert banked(feed) + feed.waiting_count == 2 + 9

    def test_lets_in_what_waits_when_a_person_says_so(self, partner, feed):
        values = self.flood(partner)
        fetched(feed, LATER)
        gone = values[8]
        partner.add(gone, "Withdrawn", at=60)

        feeds.release_feed(feed=feed, actor="operator", now=LATER)
        feed.refresh_from_db()
        fetched(feed, LATER)

        assert not feed.is_quarantined
        assert all(is_matched(value) for value in values[:8])
        assert not is_matched(gone)
        verbs = [entry.facts["verb"] for entry in AuditEntry.objects.order_by("pk")]
        assert "feed.released" in verbs

    def test_lets_in_no_more_than_that(self, partner, feed):
        self.flood(partner)
        fetched(feed, LATER)
        before = banked(feed)

        feeds.release_feed(feed=feed, count=0, actor="operator", now=LATER)
        for at, value in enumerate(pdqs(20)):
            partner.add(value, at=at + 70)
        feed.refresh_from_db()
        fetched(feed, LATER)

        assert feed.is_quarantined
        assert banked(feed) <= before + 4

    def test_stays_until_then_whatever_day_it_is(self, partner, feed):
        self.flood(partner)
        fetched(feed, LATER)
        before = banked(feed)

        fetched(feed, NOW + timedelta(days=3))

        assert feed.is_quarantined
        assert banked(feed) == before

    def test_allows_a_share_of_the_bank_a_day(self, partner, feed):
        Feed.objects.update(growth_percent=200)
        for at, value in enumerate(pdqs(6)):
            partner.add(value, at=at + 30)
        feed.refresh_from_db()
        fetched(feed, NOW + timedelta(days=1))
        assert (feed.is_quarantined, banked(feed)) == (False, 9)

        partner.add(pdqs(1)[0], at=90)
        fetched(feed, NOW + timedelta(days=1, hours=1))

        assert feed.is_quarantined

    def test_counts_what_comes_and_goes(self, partner, feed):
        """Adding and withdrawing in turns is a flood too."""
        for n, value in enumerate(pdqs(3)):
            partner.add(value, at=100 + 2 * n)
            fetched(feed, LATER)
            partner.add(value, "Withdrawn", at=101 + 2 * n)
            fetched(feed, LATER)

        assert feed.is_quarantined

    def test_is_undone_as_one(self, partner, feed):
        rows = BankedHash.objects.filter(bank=feed.bank)

        pipeline.take_out(rows, "operator", NOW)

        assert not any(is_matched(value) for value in self.first)

    def test_refuses_to_release_what_is_free(self, feed):
        with pytest.raises(feeds.FeedNotQuarantined):
            feeds.release_feed(feed=feed, actor="operator", now=NOW)
