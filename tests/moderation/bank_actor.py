"""What each process of a bank race does: ``python -m tests.moderation.bank_actor DEED ARGUMENT...``."""

import random
import sys

import django

django.setup()

from django.db import connection  # noqa: E402 (Django must be there first)
from django.utils import timezone  # noqa: E402

from moderation import services  # noqa: E402
from moderation.models import BankedHash  # noqa: E402
from moderation.pipeline import bank_index  # noqa: E402
from tests import forked  # noqa: E402

HASH = bytes([0b01010101] * 32)
ROUNDS = 40


def variant(seed: int) -> bytes:
    """As many bits set as in HASH, 14 bits from it: all variants are within 31 bits of each other."""
    dice = random.Random(seed)  # noqa: S311 (no secret)
    number = int.from_bytes(HASH)
    ones = [bit for bit in range(256) if number >> bit & 1]
    zeros = [bit for bit in range(256) if not number >> bit & 1]
    for bit in [*dice.sample(ones, 7), *dice.sample(zeros, 7)]:
        number ^= 1 << bit
    return number.to_bytes(32)


def found() -> set[int]:
    return {one.id for one in bank_index().match([HASH], 31)}


def live() -> set[int]:
    return set(BankedHash.objects.live().values_list("number", flat=True))


def change(argument: int) -> list[int]:
    """Bank and withdraw; how often what was just committed was not what was just matched."""
    wrong = 0
    for round_ in range(ROUNDS):
        source = f"{argument:016x}{round_:016x}"
        row = services.bank_hash(
            bank="cases",
            signal_type="pdq",
            value=variant(1000 * argument + round_),
            quality=90,
            source_ref=source,
            actor="person",
            now=timezone.now(),
        )
        wrong += row.number not in found()
        if round_ % 2:
            services.withdraw_source(
                source_refs=[source], actor="person", now=timezone.now()
            )
            wrong += row.number in found()
    return [wrong]


def watch(argument: int) -> list[int]:
    """Match without a pause; how many committed rows were missed, and how many looks there were."""
    missed = looks = 0
    while looks < 4 * ROUNDS:
        before = live()
        seen = found()
        missed += len((before & live()) - seen)
        looks += 1
    return [missed]


def work(argument: int) -> list[int]:
    done = change(argument) if argument % 2 else watch(argument)
    connection.close()
    return done


if __name__ == "__main__":
    forked.play({"work": work}[sys.argv[1]], [int(one) for one in sys.argv[2:]])
