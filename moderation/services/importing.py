"""A list of fingerprints becomes part of a bank, however long it is, while people go on using everything."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from moderation import tasks
from moderation.errors import Refusal
from moderation.models import Feed, HashBank, User
from moderation.pipeline.hash_files import FORMATS as FORMATS
from moderation.pipeline.hash_files import ReadHash as ReadHash
from moderation.pipeline.hash_files import Row
from moderation.pipeline.hash_files import read_hashes as read_hashes
from moderation.pipeline.hash_files import read_lines as read_lines
from moderation.pipeline.hash_files import write_hashes as write_hashes
from moderation.pipeline.sorted_files import SortedFile as SortedFile
from moderation.pipeline.taking_in import Coming, Turns, drafted, take_in


class BankUnsuitable(Refusal):
    """A list may not be imported into this bank."""

    code = "bank_unsuitable"


@dataclass(frozen=True, slots=True)
class Imported:
    """``longest`` is for how many seconds one batch kept the lock that all changes of the banks take turns at."""

    added_count: int
    known_count: int
    longest: float


def import_hashes(
    *,
    bank: HashBank,
    hashes: Iterable[Row],
    source_ref: str,
    actor: User | str,
    now: datetime,
    batch: int = 1000,
    progress: Callable[[int], object] = lambda count: None,
    turns: Turns | None = None,
) -> Imported:
    """Bank what was read (``read_hashes``) as claims of one source, in short transactions with pauses between.

    What is committed is matched by the next request; the past is searched for all of it afterwards. After a kill the
    same call adds what is missing, and nothing twice.

    :param batch: how many rows the first transaction has; the next ones have as many as fit in 0.2 seconds.
    :param progress: called after each batch with how many rows were done so far.
    :raises BankUnsuitable: for a bank of what people made on their own devices, or a feed's.
    """
    _check(bank)
    turns = turns or Turns(batch)
    added = done = 0
    try:
        for some in turns.batches(hashes):
            drafts = drafted(
                Coming(row.signal_type, row.value, row.quality, source_ref)
                for row in some
            )
            with turns.turn(len(some)):
                added += take_in(bank, drafts, actor, now, source=source_ref)
            done += len(some)
            progress(done)
    finally:
        if added:
            tasks.ring(tasks.search_past, 0)
    return Imported(added, done - added, turns.longest)


def _check(bank: HashBank) -> None:
    if bank.kind == HashBank.Kind.CASES:
        raise BankUnsuitable(
            f"{bank.slug} holds what people made on their own devices. Import a list into a bank of its own."
        )
    if Feed.objects.filter(bank=bank).exists():
        raise BankUnsuitable(
            f"{bank.slug} follows its feed: what is put in by hand would never be withdrawn. Use another bank."
        )
