"""People who can help: by the country that a person chose, never guessed; honest about what nobody has checked."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from victims.services import countries, support_for
from victims.services.directory import Entry

TODAY = date(2026, 11, 25)
DATA = Path(__file__).parents[2] / "victims" / "data"


def entry(**facts):
    base = {
        "name": "A line", "url": "https://example.org", "phone": None, "hours": None,
        "languages": [], "services": [], "checked_on": None, "country": "PK",
    }  # fmt: skip
    return Entry(**{**base, **facts})


class TestSupportFor:
    def test_shows_the_lines_of_the_country_and_those_for_everybody(self):
        support = support_for("pk", "en", today=TODAY)

        assert support.country_name == "Pakistan"
        assert support.emergency == "15"
        assert {one.country for one in support.local} == {"PK"}
        assert {one.country for one in support.world} == {None}

    @pytest.mark.parametrize("chosen", ["", "ZZ", "419", "'; --", "p", "\0" * 500])
    def test_shows_the_worldwide_lists_for_anything_else(self, chosen):
        support = support_for(chosen, "en", today=TODAY)

        assert (support.country, support.local, support.emergency) == ("", [], "")
        assert support.world

    def test_shows_only_what_is_made_for_people_under_18_where_asked(self):
        support = support_for("US", "en", today=TODAY, minors=True)

        assert support.local
        assert all(one.is_for_minors for one in support.local + support.world)

    def test_names_countries_in_the_language_of_the_page(self):
        assert countries("es")["ES"] == "España"
        assert countries("ur")["PK"] == "پاکستان"
        assert len(countries("en")) > 240

    def test_leaves_out_lines_that_cannot_be_reached(self):
        shown = support_for("NG", "en", today=TODAY).local

        assert all(one.url or one.phone for one in shown)


class TestEntry:
    @pytest.mark.parametrize(
        ("phone", "tel"),
        [
            ("0800-39393", "080039393"),
            ("1366 ; 02-735-8994", "1366"),
            ("+961 81 633 133 (text or voice message)", "+96181633133"),
            ("800-656-4673 (text HOPE to 64673)", "8006564673"),
            ("#8103 (general police advice #9110)", "#8103"),
            ("020 - 261 52 75", "0202615275"),
            ("030 / 252 088 38", "03025208838"),
            (None, None),
        ],
    )
    def test_dials_the_first_number(self, phone, tel):
        assert entry(phone=phone).tel == tel

    def test_is_old_half_a_year_after_a_person_checked_it(self):
        checked = entry(checked_on=TODAY - timedelta(days=181))

        assert checked.aged(TODAY).is_old
        assert not checked.aged(TODAY - timedelta(days=2)).is_old
        assert not entry().aged(TODAY).is_old


class TestData:
    def test_has_a_source_for_every_line(self):
        rows = json.loads((DATA / "support_directory.json").read_text())

        assert rows
        for row in rows:
            assert row["source"]
            assert (row["url"] or "http://").startswith(("https://", "http://"))
            assert (row["last_verified"] is None) == (row["verified_by"] is None)

    def test_has_emergency_numbers_of_real_countries(self):
        numbers = json.loads((DATA / "emergency_numbers.json").read_text())

        assert set(numbers) <= set(countries("en"))
        assert all(number.isdigit() for number in numbers.values())
