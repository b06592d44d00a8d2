"""Whether the machine was right: what people say of its decisions afterwards, and the breaker that hangs on it."""

from datetime import datetime

from django.db import transaction

from moderation import services as moderation
from moderation.models import AuditEntry, Enforcement, Flag, HashBank, User
from reviews.models import Decision, Sample
from reviews.pipeline import tell, tell_reversed

# More than 0.5 % wrong: of the last 200 that people judged, two. A young rule gets the same patience, not less: of its
# first few a single one would be more than that share, and would prove nothing.
WINDOW = 200
MOST_WRONG = 1


def answers_to(decision: Decision) -> list[Decision]:
    """The decisions that stand or fall together: a machine's, and a person's to the question if that was right."""
    sample = Sample.objects.about(decision).select_related("decision").first()
    if sample is None:
        return [decision]
    people = Decision.objects.filter(flag=sample.flag_id, removes=True)
    return [sample.decision, *people]


def lock_question(content_id: int) -> None:
    """Lock the open questions about a content, before its orders and before the record."""
    rows = Flag.objects.open().filter(content=content_id).order_by("pk")
    list(rows.select_for_update(of=("self",)).values_list("pk"))


@transaction.atomic
def judge(*, decision: Decision, is_right: bool, by: User, now: datetime) -> None:
    """Note what a person found of an automatic decision; nothing for any other. The later word counts.

    Its question is no longer one. Too many wrong ones, and the bank's rule falls back to holding by itself.
    Whoever calls has locked the question (``lock_question``).
    """
    sample = Sample.objects.about(decision).first()
    if sample is None:
        return
    AuditEntry.lock()
    sample.judge(is_right=is_right, by=by, at=now)
    AuditEntry.record(
        actor=by, verb="decision.judged", target=sample, is_right=is_right
    )
    if sample.flag is not None and sample.flag.is_open:
        sample.flag.resolve(now)
    if not is_right:
        _break(sample.bank, now)


def _break(bank: HashBank, now: datetime) -> None:
    bank.refresh_from_db()
    judged = Sample.objects.judged().filter(bank=bank)
    if bank.automatic_since:
        # Two people have looked at what was before, and let it remove again.
        judged = judged.filter(decision__decided_at__gte=bank.automatic_since)
    last = judged.order_by("-judged_at", "-pk").values_list("is_right", flat=True)
    wrong = list(last[:WINDOW]).count(False)
    if wrong > MOST_WRONG:
        moderation.stop_removal(bank=bank, actor="breaker", wrong=wrong, now=now)


def agree(answer: Decision, now: datetime) -> None:
    """A person saw what the machine removed, and would have too: nothing changes but the account, if it closes."""
    content, actor, ref = answer.flag.content, answer.reviewer, answer.public_id
    assert actor is not None  # noqa: S101 (a person answered)
    moderation.confirm_matches(content=content, cause_ref=ref, actor=actor, now=now)
    if answer.policy.banks_copies:
        moderation.bank_copy(content=content, cause_ref=ref, actor=actor, now=now)
    if answer.disables_account:
        moderation.order_enforcement(
            content=content,
            action=Enforcement.Action.DISABLE_ACCOUNT,
            cause_ref=ref,
            actor=actor,
            now=now,
            needs_approval=True,
        )
        tell(answer, now)
    judge(decision=answer, is_right=True, by=actor, now=now)


def take_back(answer: Decision, now: datetime) -> None:
    """A person saw what the machine removed, and would not have: it is undone, and the account is told."""
    sample = Sample.objects.select_related("decision__flag__content__account").get(
        flag=answer.flag
    )
    actor = answer.reviewer
    assert actor is not None  # noqa: S101 (a person answered)
    if sample.decision.overturned_at is None:
        overturn(sample.decision, new_cause_ref=answer.public_id, actor=actor, now=now)
        tell_reversed(sample.decision, now)
    judge(decision=answer, is_right=False, by=actor, now=now)


def overturn(
    decision: Decision, *, new_cause_ref: str, actor: User, now: datetime
) -> list[Enforcement]:
    """Undo what a decision ordered, banked and vouched for. The orders that were locked before stay locked.

    :returns: the orders that undo it.
    """
    decision.overturn(now)
    AuditEntry.record(actor=actor, verb="decision.overturned", target=decision)
    orders = moderation.reverse_enforcements(
        cause_ref=decision.public_id, new_cause_ref=new_cause_ref, actor=actor, now=now
    )
    moderation.withdraw_source(source_refs=[decision.public_id], actor=actor, now=now)
    moderation.unconfirm(cause_ref=decision.public_id, actor=actor, now=now)
    return orders
