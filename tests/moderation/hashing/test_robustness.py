"""T-22: what people do to a picture before they post it again, and how many of six photographs are found then.

`benchmarks/robustness.py` measures the same edits on more pictures; these floors only keep what was reached.
"""

from functools import cache

import pytest

from benchmarks.edits import EDITS, edited
from benchmarks.robustness import REVIEW_THRESHOLD, Bank, Picture, hashes
from moderation.hashing import PHASH_THRESHOLD, THRESHOLD
from tests.moderation.hashing.pictures import picture

ORIGINALS = (
    *("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "china.jpg"),
    "motorcycle_left.png",
)
ALL = len(ORIGINALS)

# Of the six: how many within 31 bits, and how many at least shown to a person.
FLOORS = {
    **dict.fromkeys(EDITS, (ALL, ALL)),
    "meme text": (2, ALL),
    "emoji 5 %": (0, 5),
    "crop 10 %": (0, 4),
    "photo of a screen": (0, 5),
    "turned by 5": (0, 1),
    "emoji 20 %": (0, 1),
    # Beyond what these hashes can do: here so that nobody thinks otherwise.
    "crop 25 %": (0, 0),
    "collage of two": (0, 0),
    "inset 50 % wide": (0, 0),
    "mirror, crop, filter": (0, 0),
}


@cache
def bank() -> Bank:
    return Bank([Picture(name, picture(name)) for name in ORIGINALS])


@pytest.mark.parametrize("edit", EDITS)
def test_copies_are_found_and_nothing_else_is(edit: str) -> None:
    found = shown = 0
    for number, original in enumerate(bank().pictures):
        copy = edited(edit, original.image, original.name)
        distances = bank().distances(hashes(copy))
        is_shown = (distances["x8+box"] <= REVIEW_THRESHOLD) | (
            distances["pHash"] <= PHASH_THRESHOLD
        )
        found += int(distances["x8+box"][number] <= THRESHOLD)
        shown += int(is_shown[number])
        assert not is_shown[[n for n in range(ALL) if n != number]].any()

    assert found >= FLOORS[edit][0]
    assert shown >= FLOORS[edit][1]


def test_an_edit_is_the_same_each_time() -> None:
    made = [edited("emoji 5 %", picture(), "one").tobytes() for _ in range(2)]

    assert made[0] == made[1]
    assert made[0] != edited("emoji 5 %", picture(), "other").tobytes()
