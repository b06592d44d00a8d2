"""What beat does for the desk, and the words that people are told, whoever decided."""

from reviews.pipeline.automatic import cited, decide_automatically
from reviews.pipeline.leases import expire_leases
from reviews.pipeline.statements import (
    TEMPLATE_VERSION,
    Statement,
    StatementIncomplete,
    appeal_until,
    closest_language,
    found_by_machine,
    statement_of_reasons,
)
from reviews.pipeline.telling import appeal_link, tell, tell_reversed

__all__ = [
    "TEMPLATE_VERSION",
    "Statement",
    "StatementIncomplete",
    "appeal_link",
    "appeal_until",
    "cited",
    "closest_language",
    "decide_automatically",
    "expire_leases",
    "found_by_machine",
    "statement_of_reasons",
    "tell",
    "tell_reversed",
]
