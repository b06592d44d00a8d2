"""What each process of a race at one list does: ``python -m tests.moderation.exchange.list_actor DEED ARGUMENT...``.

Three of them change the list, one reads it by pages, and one by spans of time. A reader gives the digits that it held
at last, and from where it would go on.
"""

import random
import sys
from typing import Any

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 (Django must be there first)
from django.utils import timezone  # noqa: E402

from moderation.models import Platform  # noqa: E402
from moderation.services import sharing  # noqa: E402
from tests import forked  # noqa: E402
from tests.moderation.exchange.conftest import (  # noqa: E402
    Reader,
    bank,
    share,
    value,
    withdraw,
)

WRITERS, DEEDS, LOOKS = 3, 9, 80


def change(argument: int, partner: Platform) -> list[int]:
    """Share and withdraw, with the time of before the lock was waited for."""
    for deed in range(DEEDS):
        source, now = f"{argument:016x}{deed:016x}", timezone.now()
        with transaction.atomic():
            share(source, partner, now)
            bank(source, value(1000 * argument + deed), now)
        if deed % 3 == 2:
            withdraw(source, now)
    return [DEEDS - DEEDS // 3]


def read_pages(partner: Platform) -> list[Any]:
    reader = Reader(partner, size=3)
    dice = random.Random(1)  # noqa: S311 (no secret)
    for _ in range(LOOKS):
        if not reader.page(timezone.now()) or dice.random() < 0.2:
            reader.break_off()
    return [sorted(one.hex() for one in reader.values), reader.start]


def read_spans(partner: Platform) -> list[Any]:
    held: dict[str, str] = {}
    since = 0
    for _ in range(LOOKS):
        since = span(partner, since, held)
    return [held, since]


def span(partner: Platform, since: int, held: dict[str, str]) -> int:
    """Take in what changed since; the end of that span."""
    now = timezone.now()
    until = int(now.timestamp())
    found = sharing.read_range(
        partner=partner, since=since, until=until, place="", size=1000, now=now
    )
    for line in found.lines:
        if line.is_live:
            held[line.public_id] = line.value.hex()
        else:
            held.pop(line.public_id, None)
    return until


def work(argument: int) -> list[Any]:
    partner = Platform.objects.get()
    if argument < WRITERS:
        done = change(argument, partner)
    elif argument == WRITERS:
        done = read_pages(partner)
    else:
        done = read_spans(partner)
    connection.close()
    return done


if __name__ == "__main__":
    forked.play({"work": work}[sys.argv[1]], [int(one) for one in sys.argv[2:]])
