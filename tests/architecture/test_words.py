"""Every language says everything, in the voice that was agreed."""

import re
from io import BytesIO

import pytest
from babel.messages.mofile import write_mo
from django.conf import settings

from tests.architecture.words import (
    Words,
    catalogue,
    entries,
    placeholders,
    sentences,
    translations,
    used,
)

OTHERS = [code for code, _name in settings.LANGUAGES if code != "en"]

# Read by people who ask for help, and by people whose post was judged; the console may use ordinary words.
PUBLIC = re.compile(
    r"""templates/(victims/|errors/|base(_public)?\.html)
    | templates/appeals/(_decision|_errors?|_page|closed|decision|ground|link|link_refused|status)\.html
    | victims/
    | appeals/(models|views/public|services/(letters|lodging))\.py
    | reviews/services/(sentences|policies)\.py
    | reviews/pipeline/(automatic|statements|telling)\.py""",
    re.VERBOSE,
)
NEVER_SAID = {
    "en": "victims? survivors? revenge leak(s|ed)? nudes? perpetrators? offenders? alleged(ly)? claim(s|ed)?"
    " invalid illegal unfortunately simply easy",
    "es": "víctimas? supervivientes? venganza filtrad[ao]s? agresor(es|as?)? presunt[ao]s? inválid[ao]s? ilegal(es)?"
    " lamentablemente simplemente fácil(es)?",
    "ur": "متاثرہ انتقام مجرم مبینہ بدقسمتی افسوس آسان",
}
MOST_WORDS = 27
# Published rules: what is forbidden together has to stand together.
LONG = {
    "You may not share intimate images that were taken without the person knowing, for example under clothing, "
    "with a hidden camera, through a window, while they slept, or by recording a private call.",
    "You may not share intimate images that were taken from someone's account, device, cloud or private messages, "
    "or that were sent to a few people and then passed on.",
    "You may not share an image that shows a person in a way they never show themselves to others, for example "
    "without religious or cultural clothing, when the person says that it is intimate to them and did not agree.",
    "You may not publish a person's name, address, phone number, workplace, family or account together with an "
    "intimate image of them, or in order to lead others to one.",
    "You may not re-share intimate content that a person sells or shows in one place, for example behind a payment, "
    "in another place or to other people without their agreement.",
}


def is_public(places: set[str]) -> bool:
    return any(PUBLIC.match(place) for place in places)


def public_words() -> list[Words]:
    return [words for words, places in used().items() if is_public(places)]


@pytest.mark.parametrize("language", OTHERS)
class TestEveryLanguage:
    def test_has_exactly_the_sentences_that_are_used(self, language: str) -> None:
        kept, asked = set(entries(language)), set(used())

        assert asked - kept == set(), "new words: make words, then translate them"
        assert kept - asked == set(), "words that nobody says: make words"

    def test_says_each_of_them(self, language: str) -> None:
        count = catalogue(language).num_plurals
        silent = [
            words
            for words, message in entries(language).items()
            if message.fuzzy
            or not all(text.strip() for text in translations(message))
            or len(translations(message)) != (count if words.plural else 1)
        ]

        assert silent == []

    def test_keeps_every_place_for_a_value_and_every_tag(self, language: str) -> None:
        broken = [
            words.singular
            for words, message in entries(language).items()
            for text in translations(message)
            if placeholders(text) not in [placeholders(form) for form in words.forms]
        ]

        assert broken == []

    def test_keeps_every_number(self, language: str) -> None:
        changed = [
            words.singular
            for words, message in entries(language).items()
            for text in translations(message)
            if sorted(re.findall(r"\d+", text))
            != sorted(re.findall(r"\d+", words.singular))
        ]

        assert changed == []

    def test_is_quiet(self, language: str) -> None:
        loud = [
            text
            for message in entries(language).values()
            for text in translations(message)
            if set("!¡") & set(text)
        ]

        assert loud == []

    def test_labels_nobody(self, language: str) -> None:
        never = _never_said(language)
        said = [
            text
            for words in public_words()
            for text in translations(entries(language)[words])
            if never.search(text)
        ]

        assert said == []

    def test_can_be_compiled(self, language: str) -> None:
        write_mo(BytesIO(), catalogue(language))


class TestEnglish:
    def test_is_quiet(self) -> None:
        assert [words for words in used() if "!" in words.singular + words.plural] == []

    def test_labels_nobody(self) -> None:
        never = _never_said("en")
        said = [
            form
            for words in public_words()
            for form in words.forms
            if never.search(form)
        ]

        assert said == []

    def test_has_short_sentences(self) -> None:
        long = {
            sentence
            for words in public_words()
            for form in words.forms
            for sentence in sentences(form)
            if len(sentence.split()) > MOST_WORDS
        }

        assert long == LONG


def _never_said(language: str) -> re.Pattern[str]:
    parts = "|".join(NEVER_SAID[language].split())
    return re.compile(rf"\b({parts})\b", re.IGNORECASE)
