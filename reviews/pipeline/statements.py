"""The statement of reasons (NT-01), to the account that posted.

The list of placeholders is closed, and a statement with an empty or unknown one is not sent. What it is made from holds
nothing about who asked, which fingerprint matched or how nearly, and nothing about the reviewer: so it cannot tell
(T-16, T-41). Found by a match or by a model reads the same.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from moderation.errors import Refusal
from moderation.models import Content, Flag
from reviews.models import Policy

TEMPLATE_VERSION = 1
PLACEHOLDERS = frozenset(
    {
        "service",
        "measure",
        "measure_date",
        "content_reference",
        "content_date",
        "policy_title",
        "policy_public_text",
        "facts",
        "reasoning",
        "legal_ground",
        "source_sentence",
        "automation_sentence",
        "territory",
        "duration",
        "strike_sentence",
        "appeal_until",
        "appeal_link",
        "dispute_bodies",
    }
)
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
# A sample is a question about what a machine found and decided.
_BY_MACHINE = (Flag.Source.HASH_MATCH, Flag.Source.DETECTION, Flag.Source.SAMPLE)


class StatementIncomplete(Refusal):
    """A person would have got a statement with a hole in it."""

    code = "statement_incomplete"


@dataclass(frozen=True, slots=True)
class Statement:
    """The exact words, and the language they are in."""

    subject: str
    body: str
    language: str
    version: int = TEMPLATE_VERSION


def found_by_machine(flag: Flag) -> bool:
    return flag.source in _BY_MACHINE


def closest_language(code: str) -> str:
    """The language of ours that is nearest to the account's."""
    try:
        return translation.get_supported_language_variant(code.lower())
    except LookupError:
        return settings.LANGUAGE_CODE


def appeal_until(now: datetime) -> datetime:
    return now + timedelta(days=settings.APPEAL_DAYS)


def statement_of_reasons(
    *,
    flag: Flag,
    policy: Policy,
    disables_account: bool,
    facts: str,
    reasoning: str,
    appeal_link: str,
    now: datetime,
    is_automatic: bool = False,
) -> Statement:
    """Word a removal for the account that posted, in its language.

    :raises StatementIncomplete: if something that must be said is missing.
    """
    language = closest_language(flag.content.account.language)
    with translation.override(language):
        values = {
            **_about(flag.content, now),
            **_how_found(flag, is_automatic),
            "policy_title": _translated(policy.title),
            "policy_public_text": _translated(policy.public_text),
            "facts": _translated(facts),
            "reasoning": _translated(reasoning),
            "strike_sentence": _account_sentence(disables_account),
            "appeal_link": appeal_link,
            "appeal_until": _day(appeal_until(now)),
        }
        subject = _("A decision about your post on {service}")
        body = "\n".join(_fill(line, values) for line in _lines(is_automatic))
        return Statement(_fill(subject, values), body, language)


def _lines(is_automatic: bool) -> list[str]:
    return [
        _(
            "{measure} Date: {measure_date}. It concerns {content_reference}, posted on {content_date}."
        ),
        _("Where it applies: {territory}. How long: {duration}."),
        _("The rule: {policy_title}. {policy_public_text}"),
        _("What we saw: {facts}"),
        _("Why the rule applies: {reasoning}"),
        "{legal_ground}",
        "{source_sentence} {automation_sentence} {strike_sentence}",
        _(
            "Do not post the image again, and do not contact the person in it because of this message. "
            "If you still have it, delete it."
        ),
        _way_out(is_automatic),
    ]


def _way_out(is_automatic: bool) -> str:
    if is_automatic:
        return _(
            "If you do not agree: {appeal_link}, free, until {appeal_until}. A person decides. "
            "You can also choose a certified dispute body ({dispute_bodies}) or go to court."
        )
    return _(
        "If you do not agree: {appeal_link}, free, until {appeal_until}. A different reviewer decides. "
        "You can also choose a certified dispute body ({dispute_bodies}) or go to court."
    )


def _about(content: Content, now: datetime) -> dict[str, str]:
    # Days only: a finer time would tell when which reviewer was at work (T-41).
    return {
        "service": content.platform.name,
        "measure": _("The post was removed."),
        "measure_date": _day(now),
        "content_reference": _one_line(content.external_id),
        "content_date": _day(content.posted_at),
        "legal_ground": _("The ground is the terms of the service."),
        "territory": _("everywhere"),
        "duration": _("without an end date"),
        "dispute_bodies": str(settings.DISPUTE_BODIES),
    }


def _how_found(flag: Flag, is_automatic: bool) -> dict[str, str]:
    """Whether and how far machines decided: DSA Art. 17(3)(c)."""
    if is_automatic:
        return {
            "source_sentence": _("We acted after our own checks."),
            "automation_sentence": _(
                "It was found by automatic means, and decided by automatic means."
            ),
        }
    if found_by_machine(flag):
        return {
            "source_sentence": _("We acted after our own checks."),
            "automation_sentence": _(
                "It was found by automatic means. A person decided."
            ),
        }
    return {
        "source_sentence": _("We acted after a notice."),
        "automation_sentence": _(
            "A person found and decided this. No automatic means were used."
        ),
    }


def _account_sentence(disables_account: bool) -> str:
    if disables_account:
        return _(
            "A second person decides whether the account is closed because of this. "
            "If it is closed, this message and the way to disagree are about that too."
        )
    return _("This does not count against the account.")


def _translated(text: str) -> str:
    """Ready sentences in the language of the account; a reviewer's own words as they wrote them."""
    lines = (line.strip() for line in text.splitlines())
    return " ".join(_(line) for line in lines if line)


def _day(moment: datetime) -> str:
    return date_format(moment)


def _one_line(text: str) -> str:
    """A platform's own reference, without characters that could rearrange the sentence around it."""
    return "".join(char for char in text if char.isprintable())


def _fill(template: str, values: dict[str, str]) -> str:
    """One pass, so that braces in somebody's words are just braces."""
    if set("{}") & set(_PLACEHOLDER.sub("", template)):
        raise StatementIncomplete("The statement's text has a broken placeholder.")

    def value(found: re.Match[str]) -> str:
        name = found[1]
        filled = values.get(name, "").strip() if name in PLACEHOLDERS else ""
        if not filled:
            raise StatementIncomplete(f"The statement would have no {name}.")
        return filled

    return _PLACEHOLDER.sub(value, template)
