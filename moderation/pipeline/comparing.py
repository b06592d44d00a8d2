"""Many stored fingerprints against many banked hashes, each pair once: the arithmetic of the look back."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from moderation.hashing import turned_forms
from moderation.matching import NumpyEngine
from moderation.models import BankedHash
from moderation.pipeline.findings import (
    MATCH_BITS,
    PHASH_BITS,
    Finding,
    picture_finding,
    video_finding,
    widest_band,
)
from moderation.pipeline.index import bank_index
from moderation.pipeline.spaces import HASH_BYTES, padded
from moderation.storage import open_value

# Beyond this many new hashes the banks' own index is asked about each stored one, rather than the other way round.
MANY = 2000


@dataclass(frozen=True, slots=True)
class Stored:
    """A fingerprint of past content: its content's primary key, its blind index, its value."""

    content: int
    signal_type: str
    index: str
    value: bytes = field(repr=False)


def compare(
    batch: Sequence[Stored], hashes: Sequence[BankedHash]
) -> Iterator[tuple[int, Finding]]:
    """(content, finding) for whatever a stored fingerprint is to a banked hash; a content may come twice."""
    asked: dict[str, list[BankedHash]] = {}
    for row in hashes:
        asked.setdefault(row.signal_type, []).append(row)
    stored: dict[str, list[Stored]] = {}
    for one in batch:
        stored.setdefault(one.signal_type, []).append(one)
    # A picture may have been posted as a frame of something that moves.
    pictures = [*stored.get("pdq", ()), *_as_pictures(stored.get("vpdq", ()))]
    for signal_type, rows in {**stored, "pdq": pictures}.items():
        if rows and signal_type in asked:
            found = _BY_TYPE.get(signal_type, _digests)
            yield from found(rows, asked[signal_type])


def _as_pictures(videos: Iterable[Stored]) -> Iterator[Stored]:
    for one in videos:
        for frame in _frames(one.value):
            yield Stored(one.content, "pdq", "", frame)


def _opened(row: BankedHash) -> bytes:
    return open_value(row.value_sealed, "bank")


def _pictures(
    rows: list[Stored], hashes: list[BankedHash]
) -> Iterator[tuple[int, Finding]]:
    """A banked hash comes from one way up; what was posted may be turned or mirrored."""
    if len(hashes) > MANY:
        yield from _many_pictures(rows, hashes)
        return
    engine = NumpyEngine()
    engine.add((place, row.value) for place, row in enumerate(rows))
    forms = [form for row in hashes for form in turned_forms(_opened(row))]
    each = len(forms) // len(hashes)
    nearest: dict[tuple[int, int], int] = {}
    for found in engine.match(forms, widest_band()):
        pair = found.query // each, found.id
        nearest[pair] = min(found.distance, nearest.get(pair, found.distance))
    for (hash, place), bits in nearest.items():
        finding = picture_finding(hashes[hash], bits)
        if finding:
            yield rows[place].content, finding


def _many_pictures(
    rows: list[Stored], hashes: list[BankedHash]
) -> Iterator[tuple[int, Finding]]:
    wanted = {row.number: row for row in hashes}
    for stored in rows:
        nearest: dict[int, int] = {}
        for found in bank_index().match(turned_forms(stored.value), MATCH_BITS):
            nearest[found.id] = min(found.distance, nearest.get(found.id, MATCH_BITS))
        for number in nearest.keys() & wanted.keys():
            finding = picture_finding(wanted[number], nearest[number])
            if finding:
                yield stored.content, finding


def _videos(
    rows: list[Stored], hashes: list[BankedHash]
) -> Iterator[tuple[int, Finding]]:
    engine = NumpyEngine()
    owners: list[int] = []
    for place, stored in enumerate(rows):
        for frame in _frames(stored.value):
            engine.add([(len(owners), frame)])
            owners.append(place)
    counts = [len(stored.value) // HASH_BYTES for stored in rows]
    for row in hashes:
        common: dict[int, tuple[set[int], set[int]]] = {}
        for found in engine.match(_frames(_opened(row)), MATCH_BITS):
            theirs, ours = common.setdefault(owners[found.id], (set(), set()))
            theirs.add(found.id)
            ours.add(found.query)
        for place, (theirs, ours) in common.items():
            finding = video_finding(row, counts[place], theirs, ours)
            if finding:
                yield rows[place].content, finding


def _frames(value: bytes) -> list[bytes]:
    return [value[at : at + HASH_BYTES] for at in range(0, len(value), HASH_BYTES)]


def _lookalikes(
    rows: list[Stored], hashes: list[BankedHash]
) -> Iterator[tuple[int, Finding]]:
    engine = NumpyEngine()
    engine.add((place, padded(row.value)) for place, row in enumerate(rows))
    asked = [padded(_opened(row)) for row in hashes]
    for found in engine.match(asked, PHASH_BITS):
        finding = Finding(hashes[found.query], found.distance, PHASH_BITS, True)
        yield rows[found.id].content, finding


def _digests(
    rows: list[Stored], hashes: list[BankedHash]
) -> Iterator[tuple[int, Finding]]:
    contents: dict[str, list[int]] = {}
    for stored in rows:
        contents.setdefault(stored.index, []).append(stored.content)
    for row in hashes:
        for content in contents.get(row.value_index, ()):
            yield content, Finding(row, 0, 0)


_BY_TYPE = {"pdq": _pictures, "vpdq": _videos, "phash": _lookalikes}
