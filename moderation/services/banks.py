"""A platform keeps banks of its own: opens, fills, changes and closes them, and says whether a match was right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Q

from moderation.errors import Refusal
from moderation.models import AuditEntry, BankedHash, HashBank, HashOpinion, Platform
from moderation.models.work import token
from moderation.pipeline.hash_files import File
from moderation.pipeline.listing import on_changed
from moderation.services.banking import (
    MAX_AT_ONCE,
    HashRefused,
    NewHash,
    bank_hashes,
    check_hash,
    withdraw_hashes,
)
from moderation.services.importing import (
    Imported,
    ReadHash,
    import_hashes,
    read_lines,
)
from moderation.storage import blind_index, open_value

# So many platforms must say that a fingerprint is wrong, and more than say that it is right.
ENOUGH_WRONG = 2
# A call that closes a bank does this much of it; the next one goes on.
_CLOSED_AT_ONCE = 20 * MAX_AT_ONCE
# A file of another kind is wrong in every line.
_SHOWN = 10


class BankTaken(Refusal):
    """There is a bank of this name already."""

    code = "bank_taken"


class BankMisnamed(Refusal):
    """A name that could be another platform's."""

    code = "bank_misnamed"
    status = 422  # type: ignore[assignment]


class BandRefused(Refusal):
    """The review band begins where the threshold ends."""

    code = "band_refused"
    status = 422  # type: ignore[assignment]


class FileRefused(Refusal):
    """Some lines of a file hold no fingerprint, so none of it was banked."""

    code = "file_refused"
    status = 422  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Given:
    """A fingerprint as a platform gives it. ``value`` as in ``banking.NewHash``."""

    signal_type: str
    value: bytes = field(repr=False)
    quality: int | None = None


def source_of(bank: HashBank) -> str:
    """Under which source a platform's own fingerprints are banked: one for each bank, so that equal ones merge."""
    return blind_index(str(bank.pk).encode(), "bank-source")[:32]


def value_of(hash: BankedHash) -> bytes:
    """The fingerprint itself: for its owner's export, and for nothing else."""
    return open_value(hash.value_sealed, "bank")


def open_bank(
    *, platform: Platform, slug: str, now: datetime, **about: Any
) -> HashBank:
    """
    :param about: fields of ``HashBank``: name, threshold, review_threshold, is_enabled, enabled_percent.
    :raises BankMisnamed: if the slug does not begin with the platform's alias.
    :raises BankTaken: if there is one of this name.
    :raises BandRefused: if the review threshold is below the threshold.
    """
    if not slug.startswith(f"{platform.alias}-"):
        raise BankMisnamed(
            f"Begin the slug with your own alias, like {platform.alias}-example."
        )
    bank = HashBank(
        slug=slug,
        kind=HashBank.Kind.PARTNER,
        owner=platform,
        created_at=now,
        **about,
    )
    _check_band(bank)
    try:
        with transaction.atomic():
            bank.save(force_insert=True)
            _noted(platform, "bank.opened", bank)
    except IntegrityError:
        raise BankTaken("You have a bank of this name. Choose another slug.") from None
    return bank


@transaction.atomic
def change_bank(
    *, bank: HashBank, platform: Platform, changes: Mapping[str, Any]
) -> HashBank:
    """What is changed holds from the next request on.

    :raises BandRefused: if the review threshold would be below the threshold.
    """
    # The lock orders two changes of the same bank; each sees what the other left.
    AuditEntry.lock()
    bank.refresh_from_db()
    for name, value in changes.items():
        setattr(bank, name, value)
    _check_band(bank)
    if changes:
        bank.save(update_fields=list(changes))
        _noted(platform, "bank.changed", bank, fields=" ".join(sorted(changes)))
    return bank


def _check_band(bank: HashBank) -> None:
    if bank.review_threshold < bank.threshold:
        raise BandRefused(
            "review_threshold must be at least threshold: up to the one a match may hold, up to the other it is only"
            " a question for people."
        )


def close_bank(*, bank: HashBank, platform: Platform, now: datetime) -> int:
    """Switch a bank off, withdraw what is in it and forget it, in steps that hold up nobody.

    :returns: how many fingerprints are left for the next call; with 0 the bank is gone.
    """
    if bank.is_enabled:
        change_bank(bank=bank, platform=platform, changes={"is_enabled": False})
    actor = f"platform:{platform.pk}"
    for _ in range(0, _CLOSED_AT_ONCE, MAX_AT_ONCE):
        rows = bank.hashes.order_by("pk").values_list("pk", flat=True)[:MAX_AT_ONCE]
        if not withdraw_hashes(hashes=list(rows), actor=actor, now=now):
            break
    left = bank.hashes.count()
    if not left:
        _forget(bank, platform)
    return left


@transaction.atomic
def _forget(bank: HashBank, platform: Platform) -> None:
    """Old matches name the bank that matched, so it stays as an empty one of nobody; its slug is free again."""
    bank.owner, bank.slug = None, f"closed-{token()}"
    bank.save(update_fields=["owner", "slug"])
    _noted(platform, "bank.closed", bank)


def add_fingerprints(
    *, bank: HashBank, platform: Platform, given: Sequence[Given], now: datetime
) -> list[BankedHash]:
    """Bank up to 1,000 fingerprints, all or none; a row for each, in their order. They match from the next request on.

    :raises HashRefused: naming the place of the first one that no picture has.
    :raises TooMany: for more than 1,000.
    """
    source = source_of(bank)
    _check(given)
    hashes = [NewHash(one.signal_type, one.value, one.quality, source) for one in given]
    actor = f"platform:{platform.pk}"
    return bank_hashes(bank=bank, hashes=hashes, actor=actor, now=now)


def import_file(
    *, bank: HashBank, platform: Platform, file: File, format: str, now: datetime
) -> Imported:
    """Bank a whole file: what is wrong is found before anything is banked, and then it goes in step by step.

    Stopped halfway, the same file again completes it.

    :raises FileRefused: naming the first lines that are wrong.
    """
    rows: list[ReadHash] = []
    wrong: list[str] = []
    for row in read_lines(file, format):
        if isinstance(row, Refusal):
            wrong.append(str(row))
        else:
            rows.append(row)
        if len(wrong) == _SHOWN:
            break
    if wrong:
        raise FileRefused(" ".join(["Nothing was banked.", *wrong]))
    actor = f"platform:{platform.pk}"
    source = source_of(bank)
    return import_hashes(
        bank=bank, hashes=rows, source_ref=source, actor=actor, now=now
    )


def _check(given: Sequence[Given]) -> None:
    for place, one in enumerate(given, 1):
        try:
            check_hash(one.signal_type, one.value, one.quality)
        except HashRefused as refusal:
            raise HashRefused(f"Fingerprint {place}: {refusal}") from None


def withdraw_fingerprint(
    *, hash: BankedHash, platform: Platform, now: datetime
) -> None:
    """Delete it for real; from the next request on nothing matches it."""
    withdraw_hashes(hashes=[hash.pk], actor=f"platform:{platform.pk}", now=now)


@transaction.atomic
def pause_hash(
    *, hash: BankedHash, platform: Platform, until: datetime | None
) -> BankedHash:
    """Nothing matches it until then; ``None`` ends the pause at once."""
    hash.pause(until)
    _noted(platform, "bank.paused" if until else "bank.resumed", hash)
    return hash


@transaction.atomic
def give_opinion(
    *, hash: BankedHash, platform: Platform, is_right: bool, now: datetime
) -> BankedHash:
    """Keep a platform's word on a fingerprint that its content was matched with. The last word of each counts.

    Where enough say that it is wrong, its matches are only questions from then on; where they take that back, it
    counts again.
    """
    # Two platforms at once: each must see the other's word.
    AuditEntry.lock()
    HashOpinion.objects.update_or_create(
        banked_hash=hash,
        platform=platform,
        defaults={"is_right": is_right, "given_at": now},
    )
    verb = "bank.called_right" if is_right else "bank.called_wrong"
    _noted(platform, verb, hash)
    doubtful = _is_doubtful(hash)
    if doubtful and hash.demoted_at is None:
        hash.demote(now)
        _noted(platform, "bank.demoted", hash)
    elif not doubtful and hash.demoted_at is not None:
        hash.demote(None)
        _noted(platform, "bank.restored", hash)
    on_changed([hash], now)
    return hash


def _is_doubtful(hash: BankedHash) -> bool:
    said = hash.opinions.aggregate(
        right=Count("pk", filter=Q(is_right=True)),
        wrong=Count("pk", filter=Q(is_right=False)),
    )
    return bool(said["wrong"] >= ENOUGH_WRONG and said["wrong"] > said["right"])


def _noted(
    platform: Platform, verb: str, target: HashBank | BankedHash, **details: str
) -> None:
    AuditEntry.record(
        actor=f"platform:{platform.pk}", verb=verb, target=target, **details
    )
