"""A file of fingerprints, checked first and then read in the order in which its rows lie in the table's index.

In any other order a million rows touch each of its pages again and again, and most of the work is writing them anew.
"""

from array import array
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import numpy as np

from moderation.pipeline.accepting import HashRefused
from moderation.pipeline.hash_files import MOST_CHARACTERS, Lines, ReadHash
from moderation.storage import blind_indexes

_AT_ONCE: Final = 1000
_KEY_DIGITS: Final = 16


class SortedFile:
    """Takes 24 bytes of memory for each row."""

    def __init__(self, file: BinaryIO, format: str) -> None:
        """
        :raises HashRefused: for an unknown format.
        """
        self._file = file
        self._lines = Lines(file, format)
        self._places, self._numbers = array("Q"), array("Q")
        self._keys = array("Q")

    def check(self) -> Iterator[ReadHash | HashRefused]:
        """Every line, read or refused; those that were read are what there is to import."""
        waiting: list[ReadHash] = []
        for place, row in self._lines:
            yield row
            if isinstance(row, HashRefused):
                continue
            self._places.append(place)
            self._numbers.append(row.line)
            waiting.append(row)
            if len(waiting) == _AT_ONCE:
                self._note(waiting)
                waiting = []
        self._note(waiting)

    def _note(self, rows: Iterable[ReadHash]) -> None:
        indexes = blind_indexes((row.value, row.signal_type) for row in rows)
        self._keys.extend(int(index[:_KEY_DIGITS], 16) for index in indexes)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[ReadHash]:
        """
        :raises HashRefused: if the file was changed meanwhile.
        """
        for at in np.argsort(np.array(self._keys, np.uint64)).tolist():
            self._file.seek(self._places[at])
            raw = self._file.readline(MOST_CHARACTERS + 1)
            yield self._lines.again(raw, self._numbers[at])
