"""What we say about a decision, word for word, from a closed list of facts.

Templates and notices get these strings and never a row: what is not named here (who reported, which fingerprint, how
near, which reviewer) cannot reach an appellant (T-16).
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from appeals.models import Appeal
from moderation.models import Enforcement, Work
from reviews.models import AppealGrant, Decision

# Ready reasons for the answer, by outcome. The answer keeps the English sentence; the account reads it in its language.
READY_REASONS = {
    Appeal.Outcome.UPHELD: [
        gettext_noop(
            "The first decision was looked at again by another person. "
            "The new information does not change the signs named above."
        )
    ],
    Appeal.Outcome.OVERTURNED: [
        gettext_noop(
            "New information shows that agreement existed for this post. The first decision is changed."
        ),
        gettext_noop("The first decision rested on a mistake of ours. It is changed."),
    ],
}


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class DecisionTold:
    """A decision as the party may know it: text only, in the language that is active."""

    decided_on: str
    measures: tuple[str, ...]
    service: str
    concerns: str
    policy_title: str
    policy_text: str
    facts: str
    reasoning: str
    automation: str
    until: str


@dataclass(frozen=True, slots=True)
class AppealTold:
    """An appeal as the party that lodged it may know it; ``decided_on`` is the first decision's day.

    Open is open: the page does not change when a reviewer takes the appeal, so that nobody can time one.
    """

    is_open: bool
    decided_on: str
    asked_on: str
    reply_by: str
    state: str
    outcome: str
    reasoning: str


def tell_decision(grant: AppealGrant) -> DecisionTold:
    decision = grant.decision
    content = decision.flag.content
    return DecisionTold(
        decided_on=day(decision.decided_at),
        measures=tuple(_measures(decision)),
        service=content.platform.name,
        concerns=_("%(content_reference)s, posted on %(content_date)s")
        % {
            "content_reference": _one_line(content.external_id),
            "content_date": day(content.posted_at),
        },
        policy_title=_localised(decision.policy.title),
        policy_text=_localised(decision.policy.public_text),
        facts=_localised(decision.facts),
        reasoning=_localised(decision.reasoning),
        automation=_automation(decision),
        until=day(grant.expires_at),
    )


def tell_appeal(appeal: Appeal) -> AppealTold:
    if appeal.is_open:
        state, outcome = _("Waiting for a reviewer"), ""
    else:
        state, outcome = appeal.get_outcome_display(), outcome_sentence(appeal)
    return AppealTold(
        is_open=appeal.is_open,
        decided_on=day(appeal.grant.decision.decided_at),
        asked_on=day(appeal.lodged_at),
        reply_by=day(appeal.reply_by),
        state=str(state),
        outcome=outcome,
        reasoning=_localised(appeal.reasoning),
    )


def received(appeal: Appeal) -> Letter:
    """NT-07."""
    with translation.override(appeal.language):
        body = _(
            "We received it on %(date)s. A different reviewer looks at it. We answer by %(reply_by)s. "
            "Until then the decision stays as it is."
        ) % {"date": day(appeal.lodged_at), "reply_by": day(appeal.reply_by)}
        return Letter(_("We have your appeal"), body)


def decided(appeal: Appeal) -> Letter:
    """NT-08."""
    with translation.override(appeal.language):
        lines = [
            outcome_sentence(appeal),
            _("Reason: %(reasoning)s") % {"reasoning": _localised(appeal.reasoning)},
            _(
                "This was decided by a person who took no part in the first decision. You can also choose a "
                "dispute body (%(dispute_bodies)s) or go to court."
            )
            % {"dispute_bodies": settings.DISPUTE_BODIES},
        ]
        return Letter(_("Your appeal was decided"), "\n\n".join(lines))


def outcome_sentence(appeal: Appeal) -> str:
    when = {"decision_date": day(appeal.grant.decision.decided_at)}
    if appeal.outcome == Appeal.Outcome.OVERTURNED:
        return (
            _(
                "The decision of %(decision_date)s was changed. The post and the account are as they were before. "
                "The points are taken back."
            )
            % when
        )
    return _("The decision of %(decision_date)s stays.") % when


def day(when: datetime) -> str:
    """A date without a time: nobody can tell when which reviewer was at work (T-41)."""
    return date_format(when)


def _one_line(text: str) -> str:
    """A platform's own reference, without characters that could rearrange the sentence around it."""
    return "".join(char for char in text if char.isprintable())


def _measures(decision: Decision) -> list[str]:
    if not decision.removes:
        return []
    # Closing an account waits for a second person; until they agree it has not happened.
    closed = Enforcement.objects.filter(
        cause_ref=decision.public_id, action=Enforcement.Action.DISABLE_ACCOUNT
    ).exclude(work_state__in=[Work.WorkState.HELD_BACK, Work.WorkState.CANCELLED])
    measures = [_("The post was removed.")]
    if closed.exists():
        measures.append(_("The account was closed."))
    return measures


def _automation(decision: Decision) -> str:
    # One sentence for a fingerprint and a classifier, whether or not the post was hidden first: a hold would tell
    # which of the two it was (T-16).
    if decision.is_automatic:
        return _("It was found by automatic means, and decided by automatic means.")
    if decision.found_by_machine:
        return _("It was found by automatic means. A person decided.")
    return _("A person found and decided this. No automatic means were used.")


def _localised(text: str) -> str:
    """Ready sentences and published rules in the active language; a person's own words as they wrote them."""
    return "\n".join(_(line) if line.strip() else line for line in text.splitlines())
