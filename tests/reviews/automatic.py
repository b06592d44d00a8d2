"""What a machine may decide about: a bank that lets it, a fingerprint with a decision behind it, and what matched."""

from datetime import timedelta

from moderation.models import (
    BankedHash,
    Flag,
    HashBank,
    HashConfirmation,
    User,
)
from moderation.services import allow_removal
from reviews.models import Policy
from tests.factories import (
    NOW,
    BankedHashFactory,
    DecisionFactory,
    EnforcementFactory,
    FlagFactory,
    HashBankFactory,
    MatchFactory,
    UserFactory,
)


def seniors() -> tuple[User, User]:
    return UserFactory(role=User.Role.SENIOR), UserFactory(role=User.Role.LEAD)


def removing(slug: str = "cases", **fields: object) -> HashBank:
    """A bank for which two people have let the machine remove."""
    bank = HashBankFactory(slug=slug, **fields)
    by, second = seniors()
    allow_removal(bank=bank, by=by, approved_by=second, now=NOW - timedelta(days=9))
    return bank


def confirmed(policy: Policy, bank: HashBank | None = None) -> BankedHash:
    """A fingerprint behind which a person's decision stands."""
    banked = BankedHashFactory(
        bank=bank or removing(), standing=BankedHash.Standing.CONFIRMED
    )
    decision = DecisionFactory(policy=policy)
    HashConfirmation.objects.create(
        banked_hash=banked, cause_ref=decision.public_id, confirmed_at=NOW
    )
    return banked


def found(banked: BankedHash, **fields: object) -> Flag:
    """A question about a content that matched it, hidden meanwhile."""
    match = MatchFactory(banked_hash=banked, **fields)
    EnforcementFactory(
        content=match.content,
        action="HOLD",
        cause_ref=match.content.public_id,
        work_state="DONE",
        done_at=NOW,
    )
    match.content.see("HELD")
    return FlagFactory(
        content=match.content,
        source=Flag.Source.HASH_MATCH,
        priority=90,
        priority_parts=[{"part": "match", "points": 60}],
    )
