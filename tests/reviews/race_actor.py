"""Reviewers in processes of their own, for `test_races.py`: each works as fast as it can."""

import sys
from collections.abc import Callable

import django

django.setup()

from django.utils import timezone  # noqa: E402

from moderation.models import Flag, User  # noqa: E402
from reviews.models import Claim, Policy, Reveal  # noqa: E402
from reviews.services import (  # noqa: E402
    AlreadyHolding,
    BudgetSpent,
    NothingToClaim,
    claim_next,
    decide,
    order_look,
)
from tests.forked import play  # noqa: E402


def work(reviewer: User) -> list[int]:
    """Claim and decide until nothing is open."""
    decided = []
    policy = Policy.objects.get()
    while Flag.objects.open().exists():
        try:
            claim = claim_next(reviewer=reviewer, now=timezone.now())
        except NothingToClaim:
            continue  # the last ones are in other hands
        decision = decide(
            claim_token=claim.token,
            reviewer=reviewer,
            version=claim.flag.version,
            policy=policy,
            removes=True,
            disables_account=False,
            facts="Seen.",
            reasoning="Agreement is missing.",
            private_notes="",
            now=timezone.now(),
        )
        decided.append(decision.flag_id)
    return decided


def grab(reviewer: User) -> list[int]:
    """Ask for one, once: the same person in several windows."""
    try:
        return [claim_next(reviewer=reviewer, now=timezone.now()).pk]
    except (AlreadyHolding, NothingToClaim):
        return []


def look(reviewer: User) -> list[int]:
    """Look until the day's budget is spent."""
    claim = Claim.objects.select_related("flag__content").get(reviewer=reviewer)
    links = []
    while True:
        try:
            link = order_look(
                lease=claim,
                content=claim.flag.content,
                reviewer=reviewer,
                derivative=Reveal.Derivative.GREY,
                session_key="window",
                now=timezone.now(),
            )
        except BudgetSpent:
            return links
        links.append(int(link.split(":")[0]))


DEEDS: dict[str, Callable[[User], list[int]]] = {
    "work": work,
    "grab": grab,
    "look": look,
}

if __name__ == "__main__":
    deed = DEEDS[sys.argv[1]]
    play(lambda pk: deed(User.objects.get(pk=pk)), [int(pk) for pk in sys.argv[2:]])
