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
    found_count = models.PositiveBigIntegerField(default=0)
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

    def move(self, *, cursor: int, seen: int, found: int, now: datetime) -> bool:
        """Note how far the pass is; false if another worker has taken it over."""
        return self._leave(
            cursor=cursor,
            seen_count=self.seen_count + seen,
            found_count=self.found_count + found,
            # A sign of life: whoever is slow but alive is not taken for dead.
            started_at=now,
        )
