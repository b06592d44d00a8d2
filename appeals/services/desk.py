"""What waits for a second look, in numbers, and what one appeal is about. Nothing here names who took part before."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from appeals.models import Appeal, AppealClaim
from appeals.services.letters import DecisionTold, tell_decision
from appeals.services.lodging import words_of
from moderation.models import User


@dataclass(frozen=True, slots=True)
class Waiting:
    """The open appeals with one ground that this person may decide."""

    ground: Appeal.Ground
    waiting: int
    overdue: int
    lodged_at: datetime
    reply_by: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    grounds: list[Waiting]
    waiting: int
    overdue: int
    others: int
    held: AppealClaim | None


@dataclass(frozen=True, slots=True)
class Case:
    """One appeal as its reviewer sees it: the closed list of the letters, and what the two sides of it say."""

    ground: Appeal.Ground
    weighs: str
    words: str
    caption: str
    posted_at: datetime
    visibility: str
    guidance: list[str]
    lodged_at: datetime
    reply_by: datetime
    used: int
    told: DecisionTold


def desk(user: User, now: datetime) -> Desk:
    """``others`` counts the open appeals that are not for this person, because they took part before."""
    rows = (
        Appeal.objects.open()
        .for_reviewer(user.pk)
        .values("ground")
        .annotate(
            waiting=Count("pk"),
            overdue=Count("pk", filter=Q(reply_by__lt=now)),
            oldest=Min("lodged_at"),
            next_due=Min("reply_by"),
        )
        .order_by("next_due")
    )
    grounds = [
        Waiting(
            ground=Appeal.Ground(row["ground"]),
            waiting=row["waiting"],
            overdue=row["overdue"],
            lodged_at=row["oldest"],
            reply_by=row["next_due"],
        )
        for row in rows
    ]
    waiting = sum(row.waiting for row in grounds)
    return Desk(
        grounds=grounds,
        waiting=waiting,
        overdue=sum(row.overdue for row in grounds),
        others=Appeal.objects.open().count() - waiting,
        held=AppealClaim.objects.live(Now()).filter(reviewer=user).first(),
    )


def case_of(appeal: Appeal, now: datetime) -> Case:
    """``used`` is how much of the time to answer has gone, in per cent."""
    decision = appeal.grant.decision
    content = decision.flag.content
    whole = (appeal.reply_by - appeal.lodged_at).total_seconds()
    gone = (now - appeal.lodged_at).total_seconds()
    ground = Appeal.Ground(appeal.ground)
    return Case(
        ground=ground,
        weighs=_weighs(ground),
        words=words_of(appeal),
        caption=content.caption,
        posted_at=content.posted_at,
        visibility=content.visibility,
        guidance=[_(line) for line in decision.policy.guidance.splitlines() if line],
        lodged_at=appeal.lodged_at,
        reply_by=appeal.reply_by,
        used=min(100, max(0, int(100 * gone / whole))),
        told=tell_decision(appeal.grant),
    )


def _weighs(ground: Appeal.Ground) -> str:
    """What would convince, by ground. A statement of missing consent is not outvoted by the account's word."""
    return {
        Appeal.Ground.CONSENT: _(
            "The person's own continuing publication, or their confirmation through the platform. "
            "Not chats, not screenshots alone."
        ),
        Appeal.Ground.ME: _("Exempt the account, and check for a fake."),
        Appeal.Ground.NOT_INTIMATE: _("Ask again whether the image is intimate."),
        Appeal.Ground.PUBLIC_VALUE: _(
            "The purpose can be seen in the post, the exposure is needed for it, "
            "and nobody is exposed against their will."
        ),
        Appeal.Ground.COMPROMISED: _(
            "Signs that somebody else used the account when this was posted."
        ),
        Appeal.Ground.MISTAKEN: _("Ask again whether it is the same image."),
        Appeal.Ground.OTHER: _("Look at everything again."),
    }[ground]
