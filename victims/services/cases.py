"""Open a case with fingerprints, add to it, stop and delete it."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from moderation import services as moderation
from moderation.models import AuditEntry
from victims import credentials
from victims.models import Case, SubmittedHash
from victims.services import door

# Shown to the person before anything is sent: then the case asks whether to go on.
REVIEW_AFTER: Final = timedelta(days=730)
# Who acts, for the record: a person without a name. The record never says which.
PERSON: Final = "person"


def open_case(
    *, fingerprints: Sequence[tuple[str, int]], pin: str, language: str, now: datetime
) -> tuple[Case, str]:
    """Bank the fingerprints (64 hex digits and quality) and answer with the new case and its number.

    The number exists nowhere else from now on. The same work is done whether or not a fingerprint is banked already.

    :raises Busy: before any work, if too many people open cases in this second (T-06).
    """
    door.pass_site(now)
    number = credentials.new_number()
    # Before the transaction: Argon2 is slow on purpose, and locks must be short.
    pin_hash = credentials.derive(door.pin_pepper(), credentials.read_pin(pin))
    with transaction.atomic():
        case = Case.objects.create(
            number_index=door.number_index(number),
            pin_hash=pin_hash,
            language=language,
            opened_at=now,
            review_on=(now + REVIEW_AFTER).date(),
            band_minute=secrets.randbelow(24 * 60),
        )
        AuditEntry.record(actor=PERSON, verb="case.opened", target=case)
        add_hashes(case=case, fingerprints=fingerprints, now=now)
    return case, number


@transaction.atomic
def add_hashes(
    *, case: Case, fingerprints: Sequence[tuple[str, int]], now: datetime
) -> None:
    """Bank fingerprints for a case: each under a reference of its own, which leads nowhere but back here."""
    for value, quality in fingerprints:
        row = SubmittedHash.objects.create(case=case, quality=quality, submitted_at=now)
        moderation.bank_hash(
            bank="cases",
            signal_type="pdq",
            value=bytes.fromhex(value),
            quality=quality,
            source_ref=row.source_ref,
            actor=PERSON,
            now=now,
        )


def withdraw(*, case: Case, pin: str, now: datetime) -> None:
    """Stop and delete: from the next request on nothing matches these fingerprints. A second time changes nothing.

    :raises DoesNotFit, TryLater, Busy: the PIN is asked for again; see ``door.check_pin``.
    """
    door.check_pin(case=case, pin=pin, now=now)
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=case.pk)
        if not case.is_open:
            return
        moderation.withdraw_source(
            source_refs=list(case.hashes.values_list("source_ref", flat=True)),
            actor=PERSON,
            now=now,
        )
        case.hashes.all().delete()
        case.withdraw(now)
        AuditEntry.record(actor=PERSON, verb="case.withdrawn", target=case)
