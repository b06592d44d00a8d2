"""Partners' lists come in, page by page, with their withdrawals, and never more than they may."""

import json
import secrets
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as told
from hypothesis import strategies as st

from moderation import pipeline, tasks
from moderation.models import AuditEntry, BankedHash, Feed, FeedFetch, HashBank
from moderation.pipeline import Query, find
from moderation.pipeline.fetching import order_fetch, order_fetches, source_of
from moderation.services import feeds
from tests.factories import NOW, HashBankFactory
from tests.moderation.feeds.conftest import KEYS, pdqs
from tests.moderation.feeds.partner import deleted, image, video

LATER = NOW + timedelta(hours=1)
NCMEC, FILE = Feed.Kind.NCMEC, Feed.Kind.FILE


def fetched(feed: Feed, now=NOW) -> FeedFetch:
    last = feeds.fetch_now(feed=feed, now=now)
    feed.refresh_from_db()
    return last


def is_matched(value: str) -> bool:
    return bool(find(Query(pdq=[bytes.fromhex(value)])))


def banked(feed: Feed) -> int:
    return BankedHash.objects.filter(bank=feed.bank).count()


class TestStopNCII:
    def test_brings_all_pages_and_they_are_matched_at_once(self, partner, add_feed):
        values = pdqs(8)
        for at, value in enumerate(values):
            partner.add(value, at=at + 20)
        partner.add("0123456789abcdef" * 2, signalType="VideoMD5", at=30)

        done = fetched(feed := add_feed())

        assert done.work_state == "DONE"
        assert (done.added_count, done.refused_count) == (9, 0)
        assert all(is_matched(value) for value in values)
        assert feed.checkpoint == {"at": {"start": 30}}
        assert len(partner.asked) == 3

    def test_claims_and_holds_at_most(self, partner, add_feed):
        partner.add(pdqs(1)[0])

        feed = add_feed()
        fetched(feed)

        row = BankedHash.objects.get()
        assert row.standing == BankedHash.Standing.CLAIMED
        assert row.bank.kind == HashBank.Kind.PARTNER
        assert row.bank.automatic == HashBank.Automatic.HOLD

    def test_proves_who_asks_in_headers_and_nowhere_else(self, partner, add_feed):
        fetched(add_feed())

        (headers,) = partner.headers
        assert headers["x-functions-key"] == "fetch-secret"
        assert headers["Ocp-Apim-Subscription-Key"] == "sub-secret"
        assert "secret" not in json.dumps(partner.asked)
        with connection.cursor() as cursor:
            cursor.execute("SELECT credentials_sealed FROM moderation_feed")
            assert b"secret" not in bytes(cursor.fetchone()[0])

    @pytest.mark.parametrize("status", ["Withdrawn", "Deleted"])
    def test_takes_out_what_was_withdrawn(self, partner, add_feed, status):
        """The package's own exchange type keeps it: it looks for the status in the hash."""
        gone, stays = pdqs(2)
        partner.add(gone)
        partner.add(stays)
        feed = add_feed()
        fetched(feed)
        partner.add(gone, status, at=200)

        done = fetched(feed, LATER)

        assert done.withdrawn_count == 1
        assert not is_matched(gone)
        assert is_matched(stays)

    def test_takes_out_what_every_case_withdrew_and_keeps_what_one_did_not(
        self, partner, add_feed
    ):
        gone, stays = pdqs(2)
        both = {"a": "Active", "b": "Active"}
        partner.add(gone, caseNumbers=both)
        partner.add(stays, caseNumbers=both)
        feed = add_feed()
        fetched(feed)
        partner.add(gone, at=200, caseNumbers={"a": "Withdrawn", "b": "Deleted"})
        partner.add(stays, at=200, caseNumbers={"a": "Withdrawn", "b": "Active"})

        fetched(feed, LATER)

        assert (is_matched(gone), is_matched(stays)) == (False, True)

    def test_never_brings_what_is_withdrawn_already(self, partner, add_feed):
        partner.add(pdqs(1)[0], "Withdrawn")

        done = fetched(add_feed())

        assert (done.added_count, banked(done.feed)) == (0, 0)

    def test_brings_back_what_is_active_again(self, partner, add_feed):
        (value,) = pdqs(1)
        feed = add_feed()
        for status, at in (("Active", 100), ("Withdrawn", 200), ("Active", 300)):
            partner.add(value, status, at=at)
            fetched(feed, LATER)

        assert is_matched(value)

    def test_leaves_other_sources_of_an_equal_hash_alone(self, partner, add_feed):
        (value,) = pdqs(1)
        partner.add(value)
        first, second = add_feed(), add_feed(slug="other")
        fetched(first)
        fetched(second)
        assert BankedHash.objects.count() == 2
        partner.add(value, "Withdrawn", at=200)

        fetched(first, LATER)

        assert is_matched(value)
        assert BankedHash.objects.get().bank == second.bank

    def test_does_nothing_the_second_time(self, partner, add_feed):
        for value in pdqs(5):
            partner.add(value)
        feed = add_feed()
        fetched(feed)
        feed.checkpoint = {}
        feed.save()

        again = fetched(feed, LATER)

        assert (again.added_count, again.withdrawn_count, banked(feed)) == (0, 0, 5)

    def test_goes_on_after_a_kill_between_pages(self, partner, add_feed):
        values = pdqs(8)
        for at, value in enumerate(values):
            partner.add(value, at=at + 20)
        feed = add_feed()

        def killed(partner, path, query):
            if query.get("nextPageToken") == "at.6":
                raise_in_server.append(1)
                return 500, b""
            return None

        raise_in_server: list[int] = []
        partner.reply = killed
        first = fetched(feed)
        assert (first.work_state, first.error_code) == ("WAITING", "busy")
        assert banked(feed) == 6
        partner.reply, partner.asked = None, []

        done = fetched(feed, NOW + timedelta(minutes=5))

        assert done.work_state == "DONE"
        assert partner.asked[0][1]["nextPageToken"] == "at.6"
        assert banked(feed) == 8

    def test_begins_the_list_again_when_the_name_of_a_page_is_too_old(
        self, partner, add_feed
    ):
        for at, value in enumerate(pdqs(5)):
            partner.add(value, at=at + 20)
        feed = add_feed()
        feed.checkpoint = {
            "at": {"start": 10, "page": "at.3", "page_at": int(NOW.timestamp())}
        }
        feed.save()

        fetched(feed, NOW + timedelta(hours=2))

        assert "nextPageToken" not in partner.asked[0][1]
        assert banked(feed) == 5

    @pytest.mark.parametrize(
        "change",
        [
            {"hashValue": "00" * 32},
            {"hashValue": "ff" * 32},
            {"hashValue": "0f" * 31},
            {"hashValue": ("0f" * 32).upper()},
            {"hashValue": 7},
            {"hashValue": None},
            {"hashStatus": "Maybe"},
            {"hashStatus": "Unknown"},
            {"hashStatus": {}},
            {"signalType": "URL"},
            {"signalType": "VideoTMK"},
            {"signalType": []},
            {"lastModtimestamp": "soon"},
            {"lastModtimestamp": True},
            {"caseNumbers": [1]},
            {"caseNumbers": {"a": "Lost"}},
        ],
        ids=str,
    )
    def test_leaves_a_bad_record_out_and_counts_it(self, partner, add_feed, change):
        good, bad = pdqs(2)
        partner.add(good)
        partner.add(bad)
        partner.reply = lambda partner, path, query: (
            200,
            json.dumps(
                {
                    **partner.hashes(query),
                    "hashRecords": [
                        partner.records[0],
                        {**partner.records[1], **change},
                    ],
                }
            ).encode(),
        )

        done = fetched(add_feed())

        assert (done.added_count, done.refused_count) == (1, 1)
        assert is_matched(good)

    def test_takes_feedback_and_empty_cases_of_any_shape(self, partner, add_feed):
        partner.add(pdqs(1)[0], caseNumbers=[], CSPFeedbacks="none", unknown={"a": 1})

        assert fetched(add_feed()).added_count == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=70),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


class TestABadDay:
    @told(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        field=st.sampled_from(
            ["hashValue", "hashStatus", "signalType", "caseNumbers", "lastModtimestamp"]
        ),
        value=_JSON,
    )
    def test_survives_any_value_in_any_field(self, partner, add_feed, field, value):
        good, bad = pdqs(2)
        partner.records = []
        partner.add(good)
        partner.add(bad)
        partner.records[1][field] = value
        partner.reply = lambda partner, path, query: (
            200,
            json.dumps(
                {
                    "count": 2,
                    "nextPageToken": None,
                    "nextSetTimestamp": 100,
                    "hasMoreRecords": False,
                    "hashRecords": partner.records,
                }
            ).encode(),
        )

        done = fetched(add_feed(slug=f"f{secrets.token_hex(8)}"))

        assert done.work_state == "DONE"
        assert is_matched(good)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"", "page_malformed"),
            (b"[]", "page_malformed"),
            (b"<html>", "page_malformed"),
            (b'{"hashRecords": []}', "page_malformed"),
            (b"[" * 100_000, "page_malformed"),
            (b"x" * (10 * 1024 * 1024 + 1), "too_large"),
        ],
        ids=["empty", "list", "html", "fields", "deep", "large"],
    )
    def test_stops_at_a_bad_page_and_loses_nothing(self, partner, add_feed, body, code):
        values = pdqs(2)
        for value in values:
            partner.add(value)
        feed = add_feed()
        partner.reply = lambda *_: (200, body)

        failed = fetched(feed)

        assert (failed.work_state, failed.error_code) == ("WAITING", code)
        assert feed.checkpoint == {}
        partner.reply = None
        assert fetched(feed, LATER).added_count == 2

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"nextSetTimestamp": 3}, "rewound"),
            ({"nextSetTimestamp": 10**12}, "page_malformed"),
            ({"nextSetTimestamp": True}, "page_malformed"),
            ({"hasMoreRecords": "no"}, "page_malformed"),
            ({"hasMoreRecords": True, "nextPageToken": None}, "page_malformed"),
            ({"hasMoreRecords": True, "nextPageToken": "a b"}, "page_malformed"),
            ({"hashRecords": {}}, "page_malformed"),
            ({"count": "many"}, "page_malformed"),
        ],
        ids=str,
    )
    def test_never_goes_on_from_a_place_that_is_none(
        self, partner, add_feed, change, code
    ):
        partner.reply = lambda partner, path, query: (
            200,
            json.dumps({**partner.hashes(query), **change}).encode(),
        )
        feed = add_feed()

        assert fetched(feed).error_code == code
        assert feed.checkpoint == {}

    def test_does_not_turn_in_a_circle(self, partner, add_feed):
        partner.reply = lambda partner, path, query: (
            200,
            json.dumps(
                {
                    **partner.hashes({**query, "nextPageToken": "at.0"}),
                    "hasMoreRecords": True,
                    "nextPageToken": "at.0",
                }
            ).encode(),
        )

        assert fetched(add_feed()).error_code == "endless"
        assert len(partner.asked) == 2

    @pytest.mark.parametrize(
        ("status", "state", "code"),
        [
            (401, "DEAD", "credentials_refused"),
            (403, "DEAD", "credentials_refused"),
            (404, "WAITING", "refused_404"),
            (429, "WAITING", "busy"),
            (500, "WAITING", "busy"),
            (302, "WAITING", "redirected"),
        ],
    )
    def test_names_what_the_partner_said(self, partner, add_feed, status, state, code):
        partner.reply = lambda *_: (status, b"")
        partner.sent = {"Location": f"{partner.address}/FetchHashes"}

        failed = fetched(add_feed())

        assert (failed.work_state, failed.error_code) == (state, code)
        assert len(partner.asked) == 1

    def test_refuses_what_is_packed(self, partner, add_feed):
        partner.sent = {"Content-Encoding": "gzip"}

        assert fetched(add_feed()).error_code == "encoded"

    def test_waits_for_a_partner_that_is_away(self, partner, add_feed):
        feed = add_feed(address="http://127.0.0.1:9")

        assert fetched(feed).error_code == "unreachable"

    def test_logs_no_hash(self, partner, add_feed, caplog):
        caplog.set_level("DEBUG")
        values = pdqs(2)
        partner.add(values[0])
        partner.add(values[1], signalType="Nonsense")
        fetched(add_feed())
        (value,) = pdqs(1)
        partner.enter(100, image("a", pdq=value))
        partner.enter(100, f"<image><id>b</id><x>{value}</x></image>")
        partner.page_size = 10

        fetched(add_feed(NCMEC, "xml"))

        assert not any(value in caplog.text for value in [*values, value])


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
            '<!DOCTYPE x [<!ENTITY a "b">]><queryResult/>',
            "<queryResult><images><image/></images></queryResult>",
            '<queryResult><images maxTimestamp="soon"><image/></images></queryResult>',
            "<queryResult><images/><images/></queryResult>",
            "<queryResult><paging><next>@elsewhere.example/v2</next></paging></queryResult>",
            "<queryResult><paging><next>.elsewhere.example/</next></paging></queryResult>",
        ],
    )
    def test_stops_at_a_bad_page(self, partner, add_feed, body):
        partner.reply = lambda *_: (200, body.encode())
        feed = add_feed(NCMEC)

        failed = fetched(feed)

        assert (failed.work_state, failed.error_code) == ("WAITING", "page_malformed")
        assert feed.checkpoint == {}

    def test_does_not_turn_in_a_circle(self, partner, add_feed):
        turn = "<paging><next>/v2/entries?start=1</next></paging>"
        partner.reply = lambda *_: (200, f"<queryResult>{turn}</queryResult>".encode())

        assert fetched(add_feed(NCMEC)).error_code == "endless"


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
