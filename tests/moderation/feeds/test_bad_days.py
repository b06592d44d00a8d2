"""What a partner sends is never trusted: a bad record is left out, a bad page is not used, and nothing is lost."""

import json
import secrets
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as told
from hypothesis import strategies as st

from moderation.models import Feed
from tests.factories import NOW
from tests.moderation.feeds.conftest import fetched, is_matched, pdqs
from tests.moderation.feeds.partner import image

LATER = NOW + timedelta(hours=1)
NCMEC = Feed.Kind.NCMEC


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
            (b'{"count": ' + b"1" * 5000 + b"}", "page_malformed"),
            (b"\xff\xfe\xfd", "page_malformed"),
            (b"x" * (10 * 1024 * 1024 + 1), "too_large"),
        ],
        ids=["empty", "list", "html", "fields", "deep", "digits", "bytes", "large"],
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

    def test_reads_it_as_utf_8_whatever_it_is_called(self, partner, add_feed):
        partner.add(pdqs(1)[0], caseNumbers={"é": "Active"})
        partner.sent = {"Content-Type": "application/json; charset=punycode"}

        assert fetched(add_feed()).added_count == 1

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
