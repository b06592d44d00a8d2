"""What workers do, step by step. Every step is idempotent: twice equals once."""

from moderation.pipeline.check import check
from moderation.pipeline.enforce import enforce
from moderation.pipeline.findings import Finding, find, look_back, without_excepted
from moderation.pipeline.index import BankUntrusted, bank_index
from moderation.pipeline.notify import deliver
from moderation.pipeline.retention import purge_expired

__all__ = [
    "BankUntrusted",
    "Finding",
    "bank_index",
    "check",
    "deliver",
    "enforce",
    "find",
    "look_back",
    "purge_expired",
    "without_excepted",
]
