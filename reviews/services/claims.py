"""Who looks at what: one reviewer, one flag, for a while.

Every time is the database's own (``Now()``): the clocks of several web servers differ, and a lease that two of them
judge differently is a picture that two people see.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Least, Now
from django.utils.translation import gettext as _

from moderation.errors import Refusal
from moderation.models import AuditEntry, Flag, User
from moderation.models.signals import FlagQuerySet
from reviews.models import Claim
from reviews.pipeline import expire_leases
from reviews.services.looks import BudgetSpent, LeaseLost, looks_left

LEASE = timedelta(minutes=3)
HARD_CAP = timedelta(minutes=15)
# A page that is closed or loaded again says the same thing. So closing does not end the lease: it leaves just the time
# that a page needs to come back.
LEAVE_GRACE = timedelta(seconds=30)


class MayNotReview(Refusal):
    """This member of staff has another job."""

    code = "may_not_review"


class NothingToClaim(Refusal):
    """No open flag is free."""

    code = "nothing_to_claim"


class AlreadyHolding(Refusal):
    """One flag at a time. ``claim`` is the one that is held."""

    code = "already_holding"

    def __init__(self, claim: Claim) -> None:
        super().__init__(_("You are looking at one already."))
        self.claim = claim


def claim_next(*, reviewer: User, now: datetime) -> Claim:
    """Give the most urgent free flag to a reviewer. There is no picking.

    :raises MayNotReview: if their role does not review.
    :raises BudgetSpent: if they have looked enough today.
    :raises AlreadyHolding: if they hold one; it carries the claim.
    :raises NothingToClaim: if no open flag is free.
    """
    if not reviewer.may_review:
        raise MayNotReview(_("Your role does not include reviewing."))
    if looks_left(reviewer, now) == 0:
        raise BudgetSpent(_("You have looked enough for today. Come back tomorrow."))
    expire_leases()
    _refuse_second(reviewer)
    try:
        return _claimed(reviewer)
    except IntegrityError:
        # The same person asked twice at the same moment, and the database refused the second claim.
        _refuse_second(reviewer)
        raise


def is_held(claim: Claim) -> bool:
    return Claim.objects.live(Now()).filter(pk=claim.pk).exists()


@transaction.atomic
def heartbeat(*, claim: Claim, reviewer: User) -> Claim:
    """Keep a lease because there was input; never past its hard end.

    :raises LeaseLost: if it is over.
    """
    mine = Claim.objects.live(Now()).filter(pk=claim.pk, reviewer=reviewer)
    longer = Least(Now() + LEASE, F("hard_expires_at"))
    if not mine.update(expires_at=longer):
        raise LeaseLost(_("Your time with this one is over."))
    claim.refresh_from_db()
    return claim


@transaction.atomic
def leave(*, claim: Claim, reviewer: User) -> None:
    """The page was closed or left: what is not taken up again at once goes back to the queue."""
    mine = Claim.objects.live(Now()).filter(pk=claim.pk, reviewer=reviewer)
    mine.update(expires_at=Least(F("expires_at"), Now() + LEAVE_GRACE))


@transaction.atomic
def release(*, claim: Claim, reviewer: User) -> None:
    """Give a flag back. Nobody asks why, and this reviewer gets it again only when nothing else waits.

    :raises LeaseLost: if the lease is over anyway.
    """
    mine = Claim.objects.active().filter(pk=claim.pk, reviewer=reviewer)
    if not mine.update(ended_at=Now(), ended_why=Claim.Ended.RELEASED):
        raise LeaseLost(_("Your time with this one is over."))
    AuditEntry.record(actor=reviewer, verb="claim.released", target=claim)


def _refuse_second(reviewer: User) -> None:
    held = Claim.objects.active().filter(reviewer=reviewer).first()
    if held:
        raise AlreadyHolding(held)


@transaction.atomic
def _claimed(reviewer: User) -> Claim:
    passed: list[int] = []
    while True:
        flag = _first_free(reviewer, passed)
        # Locked now. Asked again, because the answer before was older than the lock: whoever claimed in between
        # has committed, and their lease is seen by this second question only.
        if not Claim.objects.active().filter(flag=flag).exists():
            claim = _leased(flag, reviewer)
            if claim:
                return claim
        passed.append(flag.pk)


def _first_free(reviewer: User, passed: list[int]) -> Flag:
    free = _free(passed)
    mine_before = Claim.objects.filter(
        flag=OuterRef("pk"), reviewer=reviewer, ended_why=Claim.Ended.RELEASED
    )
    flag = free.filter(~Exists(mine_before)).first() or free.first()
    if flag is None:
        raise NothingToClaim(_("Nothing is waiting that is free to take."))
    return flag


def _free(passed: list[int]) -> FlagQuerySet:
    held = Claim.objects.active().filter(flag=OuterRef("pk"))
    rows = Flag.objects.open().filter(~Exists(held)).exclude(pk__in=passed)
    # Without effect on SQLite, where the transaction holds the one write lock anyway.
    return rows.first_due().select_for_update(skip_locked=True, of=("self",))


def _leased(flag: Flag, reviewer: User) -> Claim | None:
    epoch = flag.lease_epoch + 1
    seen = Flag.objects.open().filter(pk=flag.pk, lease_epoch=flag.lease_epoch)
    if not seen.update(lease_epoch=epoch):
        return None
    claim = Claim.objects.create(
        flag=flag,
        reviewer=reviewer,
        epoch=epoch,
        claimed_at=Now(),
        expires_at=Now() + LEASE,
        hard_expires_at=Now() + HARD_CAP,
    )
    claim.refresh_from_db()
    AuditEntry.record(actor=reviewer, verb="claim.taken", target=claim, flag=flag.pk)
    return claim
