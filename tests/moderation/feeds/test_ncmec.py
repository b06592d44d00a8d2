"""NCMEC's lists come in, range by range, with their deletions."""

from datetime import timedelta

import pytest

from moderation.models import Feed
from tests.factories import NOW
from tests.moderation.feeds.conftest import banked, fetched, is_matched, pdqs
from tests.moderation.feeds.partner import deleted, image, video

LATER = NOW + timedelta(hours=1)
NCMEC = Feed.Kind.NCMEC
BOMB = '<!DOCTYPE x [<!ENTITY a "b">]><queryResult/>'


class TestNcmec:
    def test_brings_all_pages_and_takes_out_what_was_deleted(self, partner, add_feed):
        values = pdqs(7)
        for at, value in enumerate(values):
            partner.enter(1000 + at, image(f"e{at}", pdq=value))
        partner.enter(1100, video("film", "0123456789ABCDEF" * 2))
        feed = add_feed(NCMEC)

        done = fetched(feed)

        assert (done.added_count, done.refused_count) == (8, 0)
        assert all(is_matched(value) for value in values)
        assert feed.checkpoint["at"]["start"] == int(NOW.timestamp()) - 5
        assert partner.headers[0]["Authorization"].startswith("Basic ")

        partner.enter(int(NOW.timestamp()) + 60, deleted("e3"))
        done = fetched(feed, LATER)

        assert done.withdrawn_count == 1
        assert not is_matched(values[3])

    def test_replaces_what_an_entry_says_now(self, partner, add_feed):
        old, new = pdqs(2)
        partner.enter(1000, image("e", pdq=old, md5="ab" * 16))
        feed = add_feed(NCMEC)
        fetched(feed)
        partner.enter(int(NOW.timestamp()), image("e", pdq=new, md5="ab" * 16))

        done = fetched(feed, LATER)

        assert (done.added_count, done.withdrawn_count) == (1, 1)
        assert (is_matched(old), is_matched(new)) == (False, True)

    def test_tells_entries_of_two_members_apart(self, partner, add_feed):
        one, two = pdqs(2)
        partner.enter(1000, image("e", pdq=one, member="1"))
        partner.enter(1000, image("e", pdq=two, member="2"))
        feed = add_feed(NCMEC)
        fetched(feed)
        partner.enter(int(NOW.timestamp()), deleted("e", member="1"))

        fetched(feed, LATER)

        assert (is_matched(one), is_matched(two)) == (False, True)

    def test_asks_in_universal_time(self, partner, add_feed):
        fetched(add_feed(NCMEC))

        assert partner.asked[0][1]["from"] == "1970-01-01T00:00:00Z"
        assert partner.asked[0][1]["to"] == "2026-11-02T11:59:55Z"

    def test_cuts_a_range_that_holds_too_much(self, partner, add_feed, monkeypatch):
        monkeypatch.setattr("moderation.platforms.feeds.ncmec._MOST_IN_RANGE", 5)
        now = int(NOW.timestamp())
        values = pdqs(12)
        for n, value in enumerate(values):
            partner.enter(now - 3600 * (n + 1), image(f"e{n}", pdq=value))

        fetched(feed := add_feed(NCMEC))

        assert banked(feed) == 12
        assert all(is_matched(value) for value in values)

    def test_goes_on_inside_a_range_and_begins_it_again_half_a_day_later(
        self, partner, add_feed
    ):
        for n, value in enumerate(pdqs(5)):
            partner.enter(1000 + n, image(f"e{n}", pdq=value))
        feed = add_feed(NCMEC)
        partner.reply = lambda p, path, query: (500, b"") if "start" in query else None
        fetched(feed)
        assert (banked(feed), feed.checkpoint["at"]["start"]) == (3, 0)

        failed = fetched(feed, NOW + timedelta(hours=1))
        assert failed.error_code == "busy"
        assert "start" in partner.asked[-1][1]
        partner.reply, partner.asked = None, []
        fetched(feed, NOW + timedelta(hours=20))

        assert "start" not in partner.asked[0][1]
        assert banked(feed) == 5

    @pytest.mark.parametrize(
        "bad",
        [
            "<image><id>x</id></image>",
            '<image><member id="42">m</member></image>',
            '<image><member id="many">m</member><id>x</id></image>',
            '<image><member id="42">m</member><id>x</id><id>y</id></image>',
            '<image><member id="42">m</member><id></id></image>',
            '<sound><member id="42">m</member><id>x</id></sound><image></image>',
            image("x", pdq="zz" * 32),
            image("x", pdq="0f" * 31),
            image("x", pdq="00" * 32),
        ],
    )
    def test_leaves_a_bad_entry_out_and_counts_it(self, partner, add_feed, bad):
        (value,) = pdqs(1)
        partner.enter(1000, image("e", pdq=value))
        partner.enter(1000, bad)

        done = fetched(add_feed(NCMEC))

        assert (done.work_state, done.added_count) == ("DONE", 1)
        assert done.refused_count >= 1
        assert is_matched(value)

    def test_takes_feedback_of_any_shape(self, partner, add_feed):
        (value,) = pdqs(1)
        entry = image("e", pdq=value)
        partner.enter(1000, entry.replace("</id>", "</id><feedback><x/></feedback>"))

        assert fetched(add_feed(NCMEC)).added_count == 1

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "no xml",
            "<html/>",
            BOMB,
            *(
                f'<?xml version="1.0" encoding="utf-16"?>{BOMB}'.encode(way)
                for way in ("utf-16", "utf-16-le", "utf-16-be")
            ),
            "<queryResult><images><image/></images></queryResult>",
            '<queryResult><images maxTimestamp="soon"><image/></images></queryResult>',
            "<queryResult><images/><images/></queryResult>",
            "<queryResult><paging><next>@elsewhere.example/v2</next></paging></queryResult>",
            "<queryResult><paging><next>.elsewhere.example/</next></paging></queryResult>",
        ],
    )
    def test_stops_at_a_bad_page(self, partner, add_feed, body):
        sent = body if isinstance(body, bytes) else body.encode()
        partner.reply = lambda *_: (200, sent)
        feed = add_feed(NCMEC)

        failed = fetched(feed)

        assert (failed.work_state, failed.error_code) == ("WAITING", "page_malformed")
        assert feed.checkpoint == {}

    def test_does_not_turn_in_a_circle(self, partner, add_feed):
        turn = "<paging><next>/v2/entries?start=1</next></paging>"
        partner.reply = lambda *_: (200, f"<queryResult>{turn}</queryResult>".encode())

        assert fetched(add_feed(NCMEC)).error_code == "endless"
