"""What workers do, step by step. Every step is idempotent: twice equals once."""

from moderation.pipeline.check import check
from moderation.pipeline.enforce import enforce
from moderation.pipeline.fetching import fetch, order_fetches
from moderation.pipeline.findings import Effect, Finding, Query, find, without_excepted
from moderation.pipeline.index import BankUntrusted, bank_index
from moderation.pipeline.notify import deliver
from moderation.pipeline.printing import asked
from moderation.pipeline.retention import purge_expired
from moderation.pipeline.searches import gather, look_back
from moderation.pipeline.spaces import SPACES, marks
from moderation.pipeline.withdrawing import locked_counter, take_out, withdraw_orphans

__all__ = [
    "SPACES",
    "BankUntrusted",
    "Effect",
    "Finding",
    "Query",
    "asked",
    "bank_index",
    "check",
    "deliver",
    "enforce",
    "fetch",
    "find",
    "gather",
    "locked_counter",
    "look_back",
    "marks",
    "order_fetches",
    "purge_expired",
    "take_out",
    "withdraw_orphans",
    "without_excepted",
]
