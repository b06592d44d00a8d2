"""An operator's own file as a feed: all of it is what the bank shall hold."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moderation.pipeline.accepting import HashRefused
from moderation.pipeline.hash_files import ReadHash, read_lines
from moderation.platforms import PlatformError

MOST_BYTES: Final = 256 * 1024 * 1024
_FORMATS: Final = {".csv": "csv", ".jsonl": "jsonl"}


@dataclass(frozen=True, slots=True)
class FileRead:
    """``digest`` tells this content of the file from any other one."""

    digest: str
    rows: list[ReadHash]
    refused_count: int


def read_file(path: Path) -> FileRead:
    """In the format that its ending names (.csv, .jsonl), else as ``threatexchange`` writes it.

    :raises PlatformError: `file_missing`, `file_too_large` or `file_unreadable` (something is there, and no hash).
    """
    data = _data(path)
    rows: list[ReadHash] = []
    refused = 0
    for line in read_lines(
        io.BytesIO(data), _FORMATS.get(path.suffix, "threatexchange")
    ):
        if isinstance(line, HashRefused):
            refused += 1
        else:
            rows.append(line)
    if refused and not rows:
        raise PlatformError("file_unreadable", retryable=False)
    return FileRead(hashlib.sha256(data).hexdigest(), rows, refused)


def _data(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError:
        raise PlatformError("file_missing", retryable=True) from None
    if len(data) > MOST_BYTES:
        raise PlatformError("file_too_large", retryable=False)
    return data
