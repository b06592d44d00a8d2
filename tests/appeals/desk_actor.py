"""Reviewers at the desk for appeals in processes of their own, for `test_race.py`."""

import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402

from appeals import services  # noqa: E402
from moderation.models import User  # noqa: E402
from reviews.services import LeaseLost  # noqa: E402
from tests.forked import play  # noqa: E402


def all_decided(reviewer_pk: int) -> list[int]:
    """Take and decide until nothing is left; which ones."""
    reviewer = User.objects.get(pk=reviewer_pk)
    decided = []
    while True:
        try:
            claim = services.claim_next_appeal(reviewer=reviewer, now=timezone.now())
        except services.NothingToClaim:
            return decided
        try:
            appeal = services.decide_appeal(
                claim_token=claim.token,
                reviewer=reviewer,
                outcome="OVERTURNED",
                reasoning="We looked again.",
                now=timezone.now(),
            )
        except (LeaseLost, services.AppealDecided):
            continue  # the same reviewer's other window was faster
        decided.append(appeal.pk)


if __name__ == "__main__":
    play(all_decided, [int(pk) for pk in sys.argv[2:]])
