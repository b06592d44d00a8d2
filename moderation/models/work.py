"""Rows that state work to be done: the queue of record. Celery only rings the bell."""

import secrets
from datetime import datetime, timedelta
from typing import Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

MAX_ATTEMPTS = 12


def token() -> str:
    """128 random bits: what the public sees instead of a primary key."""
    return secrets.token_hex(16)


def stale() -> timedelta:
    """A worker that has not finished after this was killed: the row is open to another one.

    Longer than the hard time limit of a task (config.celery_options), so that no step ever runs twice at once.
    """
    return timedelta(seconds=settings.WORK_STALE_SECONDS)


_W = TypeVar("_W", bound="Work")


class WorkQuerySet(models.QuerySet[_W]):
    def due(self, now: datetime) -> Self:
        """Waiting for its time, or left behind by a worker that died."""
        fresh = Q(work_state=Work.WorkState.WAITING, next_attempt_at__lte=now)
        left = Q(work_state=Work.WorkState.RUNNING, started_at__lt=now - stale())
        return self.filter(fresh | left)

    def worn_out(self, now: datetime) -> Self:
        """Left behind again and again: it may be what kills the workers, so no other one gets it."""
        return self.filter(
            work_state=Work.WorkState.RUNNING,
            started_at__lt=now - stale(),
            attempt_count__gte=MAX_ATTEMPTS,
        )

    def dead(self) -> Self:
        return self.filter(work_state=Work.WorkState.DEAD)


class Work(models.Model):
    """Something a worker must carry through, however often it is interrupted."""

    class WorkState(models.TextChoices):
        HELD_BACK = "HELD_BACK", "Held back until somebody approves"
        WAITING = "WAITING", "Waiting"
        RUNNING = "RUNNING", "A worker has it"
        DONE = "DONE", "Done"
        DEAD = "DEAD", "Given up; a person must look"
        CANCELLED = "CANCELLED", "No longer wanted"

    work_state = models.CharField(
        max_length=10, choices=WorkState.choices, default=WorkState.WAITING
    )
    attempt_count = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)

    class Meta:
        abstract = True

    def start(self, now: datetime) -> bool:
        """Take the work; false if another worker has it, it is finished, or it pauses (compare-and-set).

        Bells that piled up while no worker ran must not use all tries up in a second. The first try does not look at
        the time, so that a worker whose clock is a little behind still takes it.
        """
        model = type(self)
        its_time = Q(attempt_count=0) | Q(next_attempt_at__lte=now)
        free = model._default_manager.filter(pk=self.pk).filter(
            Q(its_time, work_state=Work.WorkState.WAITING)
            | Q(work_state=Work.WorkState.RUNNING, started_at__lt=now - stale())
        )
        taken = free.update(
            work_state=Work.WorkState.RUNNING,
            started_at=now,
            attempt_count=F("attempt_count") + 1,
        )
        if taken:
            self.refresh_from_db()
        return bool(taken)

    def finish(self, now: datetime) -> bool:
        return self._end(Work.WorkState.DONE, now, "")

    def give_up(self, now: datetime, code: str) -> bool:
        return self._end(Work.WorkState.DEAD, None, code)

    def retry(self, now: datetime, code: str) -> bool:
        """Try again later (1, 2, 4, ... minutes, an hour at most); after MAX_ATTEMPTS a person must look."""
        if self.attempt_count >= MAX_ATTEMPTS:
            return self.give_up(now, code)
        pause = timedelta(minutes=min(60, 2 ** max(0, self.attempt_count - 1)))
        return self._leave(
            work_state=Work.WorkState.WAITING,
            next_attempt_at=now + pause,
            error_code=code[:40],
        )

    def revive(self, now: datetime) -> bool:
        """Let it be tried again after it was given up. It stays known as tried: a try may have had its effect."""
        dead = type(self)._default_manager.filter(
            pk=self.pk, work_state=Work.WorkState.DEAD
        )
        return bool(
            dead.update(
                work_state=Work.WorkState.WAITING,
                attempt_count=1,
                next_attempt_at=now,
                error_code="",
            )
        )

    def cancel(self) -> bool:
        """Take back what no worker has begun; false if it is too late."""
        model = type(self)
        open_ = model._default_manager.filter(
            pk=self.pk,
            work_state__in=[Work.WorkState.WAITING, Work.WorkState.HELD_BACK],
        )
        return bool(open_.update(work_state=Work.WorkState.CANCELLED))

    def _end(self, state: str, done_at: datetime | None, code: str) -> bool:
        return self._leave(work_state=state, done_at=done_at, error_code=code[:40])

    def _leave(self, **fields: object) -> bool:
        # attempt_count is the fencing number: a worker that lost the row to another one changes nothing.
        mine = type(self)._default_manager.filter(
            pk=self.pk,
            work_state=Work.WorkState.RUNNING,
            attempt_count=self.attempt_count,
        )
        left = mine.update(**fields)
        if left:
            self.refresh_from_db()
        return bool(left)


def work_constraints(name: str) -> list[models.BaseConstraint]:
    """What the database refuses about any work: unknown states, a running row without a start, done without a time."""
    return [
        models.CheckConstraint(
            condition=Q(work_state__in=Work.WorkState.values),
            name=f"{name}_work_state_known",
        ),
        models.CheckConstraint(
            condition=~Q(work_state="RUNNING") | Q(started_at__isnull=False),
            name=f"{name}_running_has_start",
        ),
        models.CheckConstraint(
            condition=Q(work_state="DONE") ^ Q(done_at__isnull=True),
            name=f"{name}_done_has_time",
        ),
    ]
