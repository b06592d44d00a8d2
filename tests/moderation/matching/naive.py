"""The engine that nobody can doubt: a dictionary, read from end to end."""

from collections.abc import Iterable, Sequence

from moderation.matching import Found, row_checksum


class NaiveEngine:
    def __init__(self, key: bytes = bytes(16)) -> None:
        self.rows: dict[int, bytes] = {}
        self.key = key

    def add(self, rows: Iterable[tuple[int, bytes]]) -> None:
        self.rows.update(rows)

    def withdraw(self, ids: Iterable[int]) -> None:
        for id in ids:
            self.rows.pop(id, None)

    def match(self, hashes: Sequence[bytes], threshold: int) -> list[Found]:
        found = [
            Found(query, id, apart(hash, value))
            for query, value in enumerate(hashes)
            for id, hash in self.rows.items()
            if apart(hash, value) <= threshold
        ]
        return sorted(found, key=lambda match: (match.query, match.distance, match.id))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def checksum(self) -> int:
        return sum(row_checksum(*row, self.key) for row in self.rows.items()) % 2**64


def apart(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()
