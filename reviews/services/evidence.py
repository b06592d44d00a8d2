"""Why a flag is here and what became of it so far, worded for the person who looks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from moderation import services as moderation
from moderation.models import BankedHash, Content, Enforcement, Flag
from moderation.models.enforcement import EnforcementQuerySet
from reviews.models import Sample

# The scale of the drawing, in its own units.
_SCALE = 240
_MARGIN = 8
_STANDINGS = {
    BankedHash.Standing.CLAIMED: _("claimed"),
    BankedHash.Standing.CONFIRMED: _("confirmed"),
    BankedHash.Standing.REVOKED: _("revoked"),
    "": _("withdrawn since"),
}
_PARTS = {
    "match": _("Matches a banked fingerprint"),
    "close": _("The match is close"),
    "confirmed": _("The fingerprint was confirmed before"),
    "near_nude": _("A model sees near-nudity"),
    "similar": _("Something like a banked fingerprint"),
    "parked": _("Nothing is hidden, and perhaps it should be"),
}
# Why a match is only a question: nothing was hidden because of it, and it confirms nothing.
_PARKED = {
    BankedHash.Parked.WIDELY_SEEN: _(
        "Only a question: found in too many places to be a private picture."
    ),
    BankedHash.Parked.GUARD: _(
        "Only a question: too near to a picture that nobody may ban."
    ),
}
_DEMOTED = _("Only a question: platforms found this fingerprint wrong.")
_ONLY_REVIEW = {
    "pdq": _("Only a question: further away than a match."),
    "phash": _("Only a question: alike by a rougher method."),
    "vpdq": _("Only a question: few frames are the same."),
}
_LABELS = {"nsfw": _("near-nude")}
_ACTIONS = {
    "HOLD": gettext_noop("Hide while a person looks"),
    "RELEASE": gettext_noop("Show again"),
    "REMOVE": gettext_noop("Remove"),
    "RESTORE": gettext_noop("Restore"),
    "DISABLE_ACCOUNT": gettext_noop("Disable the account"),
    "ENABLE_ACCOUNT": gettext_noop("Enable the account"),
}
_STATES = {
    "HELD_BACK": _("waits for a second person"),
    "WAITING": _("on its way"),
    "RUNNING": _("on its way"),
    "DONE": _("confirmed by the platform"),
    "DEAD": _("the platform did not confirm it"),
    "CANCELLED": _("taken back"),
}


@dataclass(frozen=True, slots=True)
class SeenMatch:
    """A match and where it stands between the same and too far; ``x`` and ``limit_x`` are for the drawing.

    ``question`` says why it is no more than that, and is empty for a match that may hide something.
    """

    bank: str
    signal_type: str
    distance: int
    threshold: int
    standing: str
    question: str
    x: int
    limit_x: int


@dataclass(frozen=True, slots=True)
class Step:
    """One line of what happened."""

    at: datetime
    what: str
    state: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the pane shows; ``facts`` are the plain ones, under moderation's names."""

    matches: list[SeenMatch]
    detections: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    steps: list[Step]
    facts: dict[str, Any]


def evidence(flag: Flag) -> Evidence:
    facts = moderation.flag_evidence(flag)
    if flag.source == Flag.Source.SAMPLE:
        facts["visibility"] = _as_it_was(flag)
    return Evidence(
        matches=[_match(row) for row in facts.pop("matches")],
        detections=[
            {**row, "label": _LABELS.get(row["label"], row["label"])}
            for row in facts.pop("detections")
        ],
        reasons=[
            {**row, "part": _PARTS.get(row["part"], row["part"])}
            for row in facts.pop("priority_parts")
        ],
        steps=_steps(flag),
        facts=facts,
    )


def _match(row: dict[str, Any]) -> SeenMatch:
    threshold = row["threshold"]
    reach = max(threshold * 4 // 3, 1)
    return SeenMatch(
        bank=row["bank"],
        signal_type=row["signal_type"],
        distance=row["distance"],
        threshold=threshold,
        standing=_STANDINGS.get(row["standing"], row["standing"]),
        question=_question(row),
        x=_MARGIN + row["distance"] * _SCALE // reach,
        limit_x=_MARGIN + threshold * _SCALE // reach,
    )


def _question(row: dict[str, Any]) -> str:
    if row["parked_why"]:
        return str(_PARKED[row["parked_why"]])
    if row["is_demoted"]:
        return str(_DEMOTED)
    if row["only_review"]:
        return str(_ONLY_REVIEW.get(row["signal_type"], ""))
    return ""


def _as_it_was(flag: Flag) -> str:
    """Where a post stood before a machine removed it: a check of that must look like any other question (T-21)."""
    held = _before(flag).filter(action=Enforcement.Action.HOLD)
    if held.exclude(work_state=Enforcement.WorkState.CANCELLED).exists():
        return Content.Visibility.HELD
    return Content.Visibility.VISIBLE


def _before(flag: Flag) -> EnforcementQuerySet:
    orders = Enforcement.objects.filter(content=flag.content).order_by("pk")
    if flag.source == Flag.Source.SAMPLE:
        automatic = Sample.objects.filter(flag=flag).values("decision__public_id")
        return orders.exclude(cause_ref__in=automatic)
    return orders


def _steps(flag: Flag) -> list[Step]:
    raised = Step(flag.raised_at, str(_("Flagged")), "")
    return [raised, *(_step(order) for order in _before(flag))]


def _step(order: Enforcement) -> Step:
    return Step(
        order.done_at or order.ordered_at,
        str(_(_ACTIONS[order.action])),
        str(_STATES[order.work_state]),
    )
