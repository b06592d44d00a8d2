"""People who can help, by country. Data, not code: every line has to be rung or opened by a person before release."""

import json
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from babel import Locale

_DATA: Final = Path(__file__).parent.parent / "data"
_FRESH: Final = timedelta(days=180)
# The first number of an entry; what stands in brackets or after a semicolon is said in words beside it.
_DIALLED: Final = re.compile(r"[+#*]?\d[\d\s/.-]+\d|\d{2,}")


@dataclass(frozen=True)
class Entry:
    name: str
    url: str | None
    phone: str | None
    hours: str | None
    languages: list[str]
    services: list[str]
    checked_on: date | None
    country: str | None
    is_old: bool = False

    @property
    def tel(self) -> str | None:
        found = _DIALLED.search(self.phone or "")
        return re.sub(r"[^\d+#*]", "", found[0]) if found else None

    @property
    def is_for_minors(self) -> bool:
        return "minors" in self.services

    @property
    def what(self) -> list[str]:
        return [service for service in self.services if service != "minors"]

    def aged(self, today: date) -> "Entry":
        """The entry with a mark if nobody has checked it lately."""
        old = self.checked_on is not None and today - self.checked_on > _FRESH
        return replace(self, is_old=old)


@dataclass(frozen=True)
class Support:
    """What a country has; ``emergency`` is empty where we know no number."""

    country: str
    country_name: str
    emergency: str
    local: list[Entry]
    world: list[Entry]


def support_for(
    country: str, language: str, *, today: date, minors: bool = False
) -> Support:
    """The entries of a country (two letters, any case; empty for none chosen) and those for the whole world.

    With ``minors`` only the entries made for people under 18.
    """
    names = countries(language)
    country = country.upper() if country.upper() in names else ""
    entries = [
        entry.aged(today) for entry in _entries() if entry.is_for_minors or not minors
    ]
    return Support(
        country=country,
        country_name=names.get(country, ""),
        emergency=_emergency().get(country, ""),
        local=[e for e in entries if country and e.country == country],
        world=[e for e in entries if e.country is None],
    )


@cache
def countries(language: str) -> dict[str, str]:
    """Every country by its name in a language, in that language's order of the alphabet as far as code points go."""
    names = Locale.parse(language, sep="-").territories
    real = {
        code: name
        for code, name in names.items()
        if re.fullmatch("[A-Z]{2}", code) and code not in _NOT_COUNTRIES
    }
    return dict(sorted(real.items(), key=lambda pair: pair[1]))


_NOT_COUNTRIES: Final = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "CQ"}


@cache
def _entries() -> tuple[Entry, ...]:
    rows = json.loads((_DATA / "support_directory.json").read_text("utf-8"))
    return tuple(
        Entry(
            name=row["name"],
            url=row["url"],
            phone=row["phone"],
            hours=row["hours"],
            languages=row["languages"] or [],
            services=row["services"],
            checked_on=_date(row["last_verified"]),
            country=row["country_code"],
        )
        for row in rows
        if row["url"] or row["phone"]
    )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@cache
def _emergency() -> dict[str, str]:
    numbers: dict[str, str] = json.loads(
        (_DATA / "emergency_numbers.json").read_text("utf-8")
    )
    return numbers
