"""Every sentence that the code and the templates mark for translation, read without gettext's own programs."""

import re
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from tests.architecture.source import ROOT, files, name

# What Django's makemessages gives to xgettext.
_KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_noop", "gettext_lazy")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
_OUTSIDE = {"tests", "benchmarks", "docs"}
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?\w+>")
_SENTENCE = re.compile(r"(?<=[.?])\s+")


@dataclass(frozen=True)
class Words:
    """One entry as the code asks for it; ``plural`` is empty where the sentence has no number."""

    context: str
    singular: str
    plural: str = ""

    @property
    def forms(self) -> list[str]:
        return [form for form in (self.singular, self.plural) if form]


@cache
def used() -> dict[Words, set[str]]:
    """Every entry and the files that it stands in."""
    found: dict[Words, set[str]] = {}
    for path in files(".py", ".html", ".txt"):
        if path.relative_to(ROOT).parts[0] not in _OUTSIDE:
            for words in _words_of(path):
                found.setdefault(words, set()).add(name(path))
    return found


def _words_of(path: Path) -> list[Words]:
    text = path.read_text()
    if path.suffix != ".py":
        # What lies between the tags comes out as filler; its indentation would mean something to Python.
        text = "\n".join(line.strip() for line in templatize(text).splitlines())
    calls = extract("python", BytesIO(text.encode()), keywords=_KEYWORDS)
    return [
        Words(context or "", *((said,) if isinstance(said, str) else said))
        for _line, said, _comments, context in calls
    ]


@cache
def catalogue(language: str) -> Catalog:
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def entries(language: str) -> dict[Words, Message]:
    return {
        Words(
            message.context or "",
            *((message.id,) if isinstance(message.id, str) else message.id),
        ): message
        for message in catalogue(language)
        if message.id
    }


def translations(message: Message) -> list[str]:
    said = message.string
    return [said] if isinstance(said, str) else list(said)


def placeholders(text: str) -> list[str]:
    """What must come through a translation unchanged: places for values, and tags."""
    return sorted(_PLACEHOLDER.findall(text.replace("%%", "")))


def sentences(text: str) -> list[str]:
    return _SENTENCE.split(text)
