"""The look back: what was posted before is searched for fingerprints that are new."""

from datetime import datetime

from django.db import models

from moderation.models.work import Work, WorkQuerySet, work_constraints


class LookBackQuerySet(WorkQuerySet["LookBack"]):
    """Look-backs as work: see ``due`` and ``dead``."""


class LookBack(Work):
    """One pass over the stored fingerprints of past content, for all banked hashes that point to it.

    It remembers how far it came: a worker that dies over it costs a batch, not the pass.
    """

    # The pass goes through Fingerprint by id: from the first to the last that existed when it began.
    cursor = models.PositiveBigIntegerField(default=0)
    last_id = models.PositiveBigIntegerField(default=0)
    total_count = models.PositiveBigIntegerField(default=0)
    seen_count = models.PositiveBigIntegerField(default=0)
    # [banked hash, content, distance] of what was found so far: it is acted on when all is known (T-18).
    found = models.JSONField(default=list)
    ordered_at = models.DateTimeField()

    objects = LookBackQuerySet.as_manager()

    class Meta:
        constraints = [*work_constraints("lookback")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        if self.work_state == self.WorkState.DONE:
            return 1.0
        return min(1.0, self.seen_count / max(1, self.total_count))

    def begin(self, *, last_id: int, total: int) -> None:
        """Fix what the pass is about; what comes in later is compared when it comes in."""
        self.last_id, self.total_count = last_id, total
        self.save(update_fields=["last_id", "total_count"])

    def move(self, *, cursor: int, seen: int, found: list[list[int]]) -> bool:
        """Note how far the pass is; false if another worker has taken it over."""
        return self._leave(
            cursor=cursor,
            seen_count=self.seen_count + seen,
            found=[*self.found, *found],
        )

    def rest(self, now: datetime) -> bool:
        """Let the worker do something else; the pass goes on from here, and was no failure."""
        return self._leave(
            work_state=self.WorkState.WAITING, attempt_count=0, next_attempt_at=now
        )
