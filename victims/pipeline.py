"""What a worker does for cases: show how much was removed, once a day, and forget what has expired."""

from datetime import datetime

from moderation.services import copies_removed
from victims.models import Attempt, Case, DailySalt


def refresh_band(case: Case, now: datetime) -> None:
    refs = list(case.hashes.values_list("source_ref", flat=True))
    case.show_band(band_for(copies_removed(source_refs=refs)), now)


def band_for(count: int) -> Case.Band:
    if count == 0:
        return Case.Band.NONE
    if count <= 5:
        return Case.Band.FEW
    return Case.Band.SOME if count <= 20 else Case.Band.MANY


def forget(now: datetime) -> int:
    """Delete counts that are over, and the salts of past days: no network key of theirs can be made again."""
    tries, _ = Attempt.objects.expired(now).delete()
    salts, _ = DailySalt.objects.filter(day__lt=now.date()).delete()
    return tries + salts
