"""StopNCII's lists come in, page by page, with their withdrawals."""

import json
from datetime import timedelta

import pytest
from django.db import connection

from moderation.models import BankedHash, HashBank
from tests.factories import NOW
from tests.moderation.feeds.conftest import banked, fetched, is_matched, pdqs

LATER = NOW + timedelta(hours=1)


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
