"""What is kept is ciphertext: evidence in an envelope of its own key, short values sealed in their column."""

from moderation.storage.envelope import (
    EvidenceGone,
    Sealed,
    destroy,
    open_file,
    store_file,
)
from moderation.storage.fields import (
    blind_index,
    blind_indexes,
    open_text,
    open_value,
    seal_text,
    seal_value,
    seal_values,
)
from moderation.storage.keys import bank_key

__all__ = [
    "EvidenceGone",
    "Sealed",
    "bank_key",
    "blind_index",
    "blind_indexes",
    "destroy",
    "open_file",
    "open_text",
    "open_value",
    "seal_text",
    "seal_value",
    "seal_values",
    "store_file",
]
