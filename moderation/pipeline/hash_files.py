"""Lists of fingerprints as text: three formats, read line by line and strictly, written as a stream.

``csv``: a header that names ``signal_type,value[,quality]``, or no header and one hash on each line (64 hex digits are
PDQ, 32 are MD5). ``jsonl``: an object with the same names on each line. ``threatexchange``: ``pdq <hex>``, as that
package's ``local_file`` exchange reads it. Values are lower-case hex. A byte-order mark, CRLF and empty lines are fine.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from moderation.hashing import MIN_QUALITY
from moderation.pipeline.accepting import (
    FRAME_BYTES,
    MAX_FRAMES,
    RECIPES,
    HashRefused,
    check_hash,
)

FORMATS: Final = ("csv", "jsonl", "threatexchange")
# A whole video in hex, with room for what stands around it.
MOST_CHARACTERS: Final = 2 * FRAME_BYTES * MAX_FRAMES + 1024
_COLUMNS: Final = ("signal_type", "value", "quality")
_HEX: Final = re.compile(r"[0-9a-f]+")
_TYPE_BY_DIGITS: Final = {64: "pdq", 32: "md5"}
# What the threatexchange package calls them.
_THEIR_NAMES: Final = {"md5": "video_md5"}
_OUR_NAMES: Final = {theirs: ours for ours, theirs in _THEIR_NAMES.items()}


class ReadHash(NamedTuple):
    """One fingerprint of a file, checked, and the number of its line."""

    signal_type: str
    value: bytes
    quality: int | None
    line: int

    def __repr__(self) -> str:
        return f"<{self.signal_type} of line {self.line}>"  # no value in a report


class Row(Protocol):
    """What can be written: ``ReadHash``, or whatever knows the same."""

    @property
    def signal_type(self) -> str: ...
    @property
    def value(self) -> bytes: ...
    @property
    def quality(self) -> int | None: ...


class File(Protocol):
    """A file that was opened to read bytes."""

    def readline(self, size: int = ..., /) -> bytes: ...


_Fields = tuple[str, str, int | None]
_Parser = Callable[[str], _Fields]


def read_hashes(file: File, format: str) -> Iterator[ReadHash]:
    """
    :raises HashRefused: at the first line that is wrong; it names the line and what to do, never the value.
    """
    for row in read_lines(file, format):
        if isinstance(row, HashRefused):
            raise row
        yield row


def read_lines(file: File, format: str) -> Iterator[ReadHash | HashRefused]:
    """Every line that is not empty, read or refused. What cannot be a text at all is the last that is given.

    :raises HashRefused: for an unknown format.
    """
    return (row for _, row in Lines(file, format))


class Lines:
    """The lines of a file with the places where they begin, in bytes; once read, any of them can be read again."""

    def __init__(self, file: File, format: str) -> None:
        """
        :raises HashRefused: for an unknown format.
        """
        if format not in FORMATS:
            raise HashRefused(f"The format is one of {', '.join(FORMATS)}.")
        self._file = file
        self._parse = None if format == "csv" else _PARSERS[format]

    def __iter__(self) -> Iterator[tuple[int, ReadHash | HashRefused]]:
        for place, number, text in _texts(self._file):
            if isinstance(text, HashRefused):
                yield place, text
                return
            if self._parse is None:
                try:
                    self._parse, is_header = _csv_parser(text)
                except HashRefused as refusal:
                    yield place, _refused(number, str(refusal))
                    return
                if is_header:
                    continue
            yield place, _read(self._parse, text, number)

    def again(self, raw: bytes, number: int) -> ReadHash:
        """
        :raises HashRefused: if this is no longer what it was.
        """
        text = _text(raw, number)
        if isinstance(text, str) and self._parse is not None:
            row = _read(self._parse, text, number)
            if isinstance(row, ReadHash):
                return row
        raise _refused(number, "The file was changed while it was read.")


def _texts(file: File) -> Iterator[tuple[int, int, str | HashRefused]]:
    place = number = 0
    while raw := file.readline(MOST_CHARACTERS + 1):
        number += 1
        text = _text(raw, number)
        if text:
            yield place, number, text
        if isinstance(text, HashRefused):
            return
        place += len(raw)


def _text(raw: bytes, number: int) -> str | HashRefused:
    if len(raw) > MOST_CHARACTERS:
        return _refused(number, "This line is too long to be a hash.")
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError:
        return _refused(number, "This is no text; save the file as UTF-8.")
    if "\0" in text:
        return _refused(number, "This is no text; save the file as UTF-8.")
    return text


def _read(parse: _Parser, text: str, number: int) -> ReadHash | HashRefused:
    try:
        signal_type, digits, quality = parse(text)
        value = _value(signal_type, digits)
        check_hash(signal_type, value, quality)
        # A digest has no quality; for the others, whoever measured one measured a good picture.
        if quality is not None and quality < MIN_QUALITY:
            raise HashRefused(f"Leave out what has a quality below {MIN_QUALITY}.")
    except HashRefused as refusal:
        return _refused(number, str(refusal))
    return ReadHash(signal_type, value, quality, number)


def _refused(number: int, why: str) -> HashRefused:
    return HashRefused(f"Line {number}: {why}")


def _value(signal_type: str, digits: str) -> bytes:
    if signal_type not in RECIPES:
        raise HashRefused(f"Name one of these signal types: {', '.join(RECIPES)}.")
    if not _HEX.fullmatch(digits):
        if _HEX.fullmatch(digits.lower()):
            raise HashRefused("Write the hash in lower case.")
        raise HashRefused("Write the hash in hexadecimal digits (0-9, a-f).")
    if len(digits) % 2:
        raise HashRefused(f"{len(digits)} digits are an odd number: one is missing.")
    return bytes.fromhex(digits)


def _csv_parser(first: str) -> tuple[_Parser, bool]:
    """How to read the lines of this file, and whether the first one was a header."""
    names = [name.lower() for name in _cells(first)]
    if "value" not in names and "signal_type" not in names:
        return _plain, False
    is_known = set(_COLUMNS[:2]) <= set(names) <= set(_COLUMNS)
    if not is_known or len(set(names)) < len(names):
        raise HashRefused(
            "The header must be signal_type,value or signal_type,value,quality."
        )
    return _Columns(names), True


def _cells(text: str) -> list[str]:
    try:
        cells = next(csv.reader([text])) if '"' in text else text.split(",")
    except csv.Error:
        raise HashRefused("The quotes of this line are no CSV.") from None
    return [cell.strip() for cell in cells] if " " in text else cells


def _plain(text: str) -> _Fields:
    digits = text.strip('"')
    signal_type = _TYPE_BY_DIGITS.get(len(digits))
    if signal_type is None:
        raise HashRefused(
            f"A line of {len(digits)} characters is no PDQ hash (64) and no MD5 (32). For anything else begin the file "
            "with the header signal_type,value,quality."
        )
    return signal_type, digits, None


class _Columns:
    """Reads a line under a header."""

    def __init__(self, names: Sequence[str]) -> None:
        self._count = len(names)
        self._type, self._value = names.index("signal_type"), names.index("value")
        self._quality = names.index("quality") if "quality" in names else None

    def __call__(self, text: str) -> _Fields:
        cells = _cells(text)
        if len(cells) != self._count:
            raise HashRefused(
                f"The header names {self._count} columns, this line has {len(cells)}."
            )
        quality = None if self._quality is None else _number(cells[self._quality])
        return cells[self._type], cells[self._value], quality


def _number(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise HashRefused("The quality is a whole number from 0 to 100, or empty.")
    return _quality(int(text))


def _quality(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
        raise HashRefused("The quality is a whole number from 0 to 100, or empty.")
    return value


def _json(text: str) -> _Fields:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        raise HashRefused("This is not one JSON object.") from None
    if not isinstance(row, dict) or not set(row) <= set(_COLUMNS):
        raise HashRefused('Write an object {"signal_type", "value", "quality"}.')
    signal_type, value = row.get("signal_type"), row.get("value")
    if not isinstance(signal_type, str) or not isinstance(value, str):
        raise HashRefused("signal_type and value must be there, both in quotes.")
    return signal_type, value, _quality(row.get("quality"))


def _threatexchange(text: str) -> _Fields:
    signal_type, _, digits = text.partition(" ")
    return _OUR_NAMES.get(signal_type, signal_type), digits.strip(), None


_PARSERS: Final[dict[str, _Parser]] = {
    "jsonl": _json,
    "threatexchange": _threatexchange,
}


def write_hashes(rows: Iterable[Row], format: str) -> Iterator[str]:
    """The text of a list, line by line; ``read_hashes`` reads the same from it, but for what a format cannot say.

    :raises HashRefused: for an unknown format.
    """
    if format not in FORMATS:
        raise HashRefused(f"The format is one of {', '.join(FORMATS)}.")
    return _written(rows, format)


def _written(rows: Iterable[Row], format: str) -> Iterator[str]:
    if format == "csv":
        yield ",".join(_COLUMNS) + "\r\n"
    for row in rows:
        yield _line(row, format)


def _line(row: Row, format: str) -> str:
    digits = row.value.hex()
    if format == "csv":
        quality = "" if row.quality is None else row.quality
        return f"{row.signal_type},{digits},{quality}\r\n"
    if format == "jsonl":
        fields = (row.signal_type, digits, row.quality)
        return json.dumps(dict(zip(_COLUMNS, fields, strict=True))) + "\n"
    return f"{_THEIR_NAMES.get(row.signal_type, row.signal_type)} {digits}\n"
