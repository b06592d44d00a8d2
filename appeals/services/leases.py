"""Who looks at which appeal, and for how long: exclusive, leased, fenced by an epoch, by the database's clock.

The queue gives; nobody picks (T-39). A lease ends by itself, and whoever lost it can change nothing.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least, Now
from django.utils.translation import gettext as _

from appeals.models import Appeal, AppealClaim, AppealQuerySet
from moderation.errors import Refusal
from moderation.models import AuditEntry, User
from reviews.services import BudgetSpent, LeaseLost, MayNotReview, looks_left

# Longer than at the first desk: there are two sides' reasons to read, and an answer to write.
LEASE = timedelta(minutes=10)
HARD_CAP = timedelta(minutes=45)
# A page that is closed or loaded again says the same thing, so closing leaves just the time to come back.
LEAVE_GRACE = timedelta(seconds=30)


class NothingToClaim(Refusal):
    """No appeal waits that this reviewer may decide."""

    code = "nothing_to_claim"


@transaction.atomic
def claim_next_appeal(*, reviewer: User, now: datetime) -> AppealClaim:
    """Lease the appeal that is due first among those this reviewer took no part in; their live one if they hold one.

    :raises MayNotReview: if their role does not review.
    :raises BudgetSpent: if they have looked enough today: nobody can decide an appeal without looking.
    :raises NothingToClaim: if there is none.
    """
    if not reviewer.may_review:
        raise MayNotReview(_("Your role does not include reviewing."))
    # One claim at a time for each reviewer: two clicks wait here for each other, and the second finds the first's.
    User.objects.select_for_update(no_key=True).get(pk=reviewer.pk)
    expire_leases()
    held = AppealClaim.objects.active().filter(reviewer=reviewer).first()
    if held is not None:
        return held
    if looks_left(reviewer, now) == 0:
        raise BudgetSpent(_("You have looked enough for today. Come back tomorrow."))
    passed: list[int] = []
    while True:
        appeal = _first_waiting(reviewer, passed)
        if _take(appeal):
            return _leased(appeal, reviewer)
        passed.append(appeal.pk)


@transaction.atomic
def heartbeat(*, claim: AppealClaim, reviewer: User) -> AppealClaim:
    """Keep a lease because there was input; never past its hard end.

    :raises LeaseLost: if it is over or not this reviewer's.
    """
    mine = AppealClaim.objects.live(Now()).filter(pk=claim.pk, reviewer=reviewer)
    if not mine.update(expires_at=Least(Now() + LEASE, F("hard_expires_at"))):
        raise LeaseLost(_("Your time with this one is over."))
    claim.refresh_from_db(fields=["expires_at"])
    return claim


@transaction.atomic
def leave(*, claim: AppealClaim, reviewer: User) -> None:
    """The page was closed or left: what is not taken up again at once goes back to the queue."""
    mine = AppealClaim.objects.live(Now()).filter(pk=claim.pk, reviewer=reviewer)
    mine.update(expires_at=Least(F("expires_at"), Now() + LEAVE_GRACE))


@transaction.atomic
def release(*, claim: AppealClaim, reviewer: User) -> None:
    """Give an appeal back. No reason is asked.

    :raises LeaseLost: if the lease is over anyway.
    """
    mine = AppealClaim.objects.active().filter(pk=claim.pk, reviewer=reviewer)
    if not mine.update(ended_at=Now(), ended_why=AppealClaim.Ended.RELEASED):
        raise LeaseLost(_("Your time with this one is over."))
    AuditEntry.record(actor=reviewer, verb="appeal.released", target=claim)


@transaction.atomic
def expire_leases() -> int:
    """End what ran out, so that the appeal waits again; how many there were."""
    count = 0
    rows = AppealClaim.objects.expired(Now()).order_by("pk")
    # All at once, before the record is locked, and without those that somebody gives back or answers at this moment:
    # they wait for the record with the claim in their hands.
    for claim in list(rows.select_for_update(skip_locked=True, of=("self",))):
        over = AppealClaim.objects.expired(Now()).filter(pk=claim.pk)
        if over.update(ended_at=Now(), ended_why=AppealClaim.Ended.EXPIRED):
            AuditEntry.record(actor="system", verb="appeal.expired", target=claim)
            count += 1
    return count


def _first_waiting(reviewer: User, passed: list[int]) -> Appeal:
    waiting: AppealQuerySet = Appeal.objects.open().for_reviewer(reviewer.pk)
    # The lock is without effect on SQLite, where the transaction holds the one write lock anyway.
    free = waiting.unclaimed().exclude(pk__in=passed).first_due()
    appeal = free.select_for_update(skip_locked=True, of=("self",)).first()
    if appeal is None:
        raise NothingToClaim(_("No appeal is waiting that is free for you."))
    return appeal


def _take(appeal: Appeal) -> bool:
    """Raise the epoch by one if nobody did meanwhile.

    The claim is looked up again under the row's lock: the query that chose the appeal may have seen it free a moment
    before another reviewer's claim was committed.
    """
    if AppealClaim.objects.active().filter(appeal=appeal).exists():
        return False
    seen = Appeal.objects.open().filter(pk=appeal.pk, lease_epoch=appeal.lease_epoch)
    return bool(seen.update(lease_epoch=F("lease_epoch") + 1))


def _leased(appeal: Appeal, reviewer: User) -> AppealClaim:
    claim = AppealClaim.objects.create(
        appeal=appeal,
        reviewer=reviewer,
        epoch=appeal.lease_epoch + 1,
        claimed_at=Now(),
        expires_at=Now() + LEASE,
        hard_expires_at=Now() + HARD_CAP,
    )
    claim.refresh_from_db()
    AuditEntry.record(
        actor=reviewer, verb="appeal.claimed", target=appeal, claim=claim.pk
    )
    return claim
