"""What a machine may remove alone, and who may let it (T-21).

Only near copies of what a reviewer has confirmed, only in a bank for which two people allowed it, and never by a
fingerprint that anybody has found wanting: parked, demoted, paused, or once found to catch what is in order.
"""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from moderation.errors import Refusal
from moderation.models import (
    AuditEntry,
    BankedHash,
    Content,
    Flag,
    HashBank,
    HashException,
    Match,
    User,
)
from moderation.models.signals import FlagQuerySet
from moderation.pipeline.findings import NEAR_BITS, Effect, Finding

_log = structlog.get_logger(__name__)


class NotTwoPeople(Refusal):
    """It takes two different people who may answer for it."""

    code = "not_two_people"


class NeverAutomatic(Refusal):
    """Nothing is ever removed because of this bank."""

    code = "never_automatic"


def two_people(by: User, approved_by: User) -> None:
    """
    :raises NotTwoPeople: unless these are two seniors, leads or administrators who still work here.
    """
    if by.pk == approved_by.pk:
        raise NotTwoPeople("Name a second person: one alone may not do this.")
    for person in (by, approved_by):
        if not (person.is_senior or (person.is_active and person.is_superuser)):
            raise NotTwoPeople(
                f"{person.get_username()} is no senior, lead or administrator. Name somebody who is."
            )


@transaction.atomic
def allow_removal(
    *, bank: HashBank, by: User, approved_by: User, now: datetime
) -> None:
    """Let the machine remove near copies of what reviewers confirmed in this bank.

    :raises NotTwoPeople: see ``two_people``.
    :raises NeverAutomatic: for a bank of pictures that nobody may ban.
    """
    two_people(by, approved_by)
    if bank.kind == HashBank.Kind.GUARD:
        raise NeverAutomatic("This bank protects pictures. It removes none.")
    AuditEntry.lock()
    bank.allow_removal(by, approved_by, now)
    AuditEntry.record(
        actor=by, verb="bank.removal_allowed", target=bank, approved_by=approved_by.pk
    )


@transaction.atomic
def stop_removal(
    *, bank: HashBank, actor: User | str, now: datetime, wrong: int | None = None
) -> bool:
    """From now on the machine only holds. One person is enough, and so is the breaker.

    :param wrong: how many of its last removals people found wrong, if that is why.
    :returns: whether it could remove before.
    """
    AuditEntry.lock()
    bank.refresh_from_db()
    if bank.automatic == HashBank.Automatic.HOLD:
        return False
    bank.hold_only(now)
    AuditEntry.record(
        actor=actor, verb="bank.removal_stopped", target=bank, wrong=wrong
    )
    if wrong is not None:
        _log.error("breaker_fell", bank=bank.slug, count=wrong)
    return True


def removable_flags(now: datetime) -> FlagQuerySet:
    """The open questions that a machine may answer, if nobody is looking; asked again with ``surely_matched``."""
    sure = _sure(now).filter(content=OuterRef("content"))
    rows = Flag.objects.open().filter(Exists(sure), source=Flag.Source.HASH_MATCH)
    # What is still being checked may raise more than this question.
    rows = rows.filter(content__work_state=Content.WorkState.DONE)
    return rows.exclude(content__visibility=Content.Visibility.DELETED)


def surely_matched(*, content: Content, now: datetime) -> list[Match]:
    """The matches for which a machine may remove this content, nearest first, each with the hash that stands now.

    Whoever calls holds the record (``AuditEntry.lock``): so no fingerprint falls and no rule changes meanwhile.
    """
    rows = _sure(now).filter(content=content).select_related("banked_hash__bank")
    nearest = rows.order_by("distance", "pk").defer("banked_hash__value_sealed")
    return [row for row in nearest if _effect(row) >= Effect.REMOVE]


def _sure(now: datetime) -> QuerySet[Match]:
    """
    As ``Finding.effect``, for what was found before; and nothing by a fingerprint that caught what is in order.
    """
    removing = HashBank.objects.filter(
        automatic=HashBank.Automatic.REMOVE, is_enabled=True
    )
    hashes = BankedHash.objects.asking(now).filter(
        bank__in=removing,
        standing=BankedHash.Standing.CONFIRMED,
        parked_why="",
        demoted_at__isnull=True,
    )
    doubted = HashException.objects.filter(banked_hash=OuterRef("pk"))
    near = Q(signal_type="pdq", distance__lte=NEAR_BITS)
    same = Q(signal_type__in=["sha256", "md5"], distance=0)
    return Match.objects.filter(
        near | same, only_review=False, banked_hash__in=hashes.exclude(Exists(doubted))
    )


def _effect(match: Match) -> Effect:
    assert match.banked_hash is not None  # noqa: S101 (it was asked for)
    found = Finding(
        match.banked_hash, match.distance, match.threshold, match.only_review
    )
    return found.effect
