"""What the account is told of a decision, with its way to a second look; and that a decision was taken back."""

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from moderation import services as moderation
from moderation.models import Content, Notice
from reviews.models import AppealGrant, Decision
from reviews.pipeline.statements import (
    appeal_until,
    closest_language,
    statement_of_reasons,
)


def appeal_link(raw: str) -> str:
    return f"{settings.APPEALS_URL}/again/{raw}/"


def tell(decision: Decision, now: datetime) -> Notice:
    """Grant the account its appeal and order the statement of reasons that says so.

    :raises StatementIncomplete: if the statement would have a hole.
    """
    statement = statement_of_reasons(
        flag=decision.flag,
        policy=decision.policy,
        disables_account=decision.disables_account,
        is_automatic=decision.is_automatic,
        facts=decision.facts,
        reasoning=decision.reasoning,
        appeal_link=appeal_link(_granted(decision, now)),
        now=now,
    )
    return moderation.order_notice(
        content=decision.flag.content,
        kind=Notice.Kind.STATEMENT_OF_REASONS,
        cause_ref=decision.public_id,
        language=statement.language,
        subject=statement.subject,
        body=statement.body,
        now=now,
    )


def _granted(decision: Decision, now: datetime) -> str:
    """The raw token goes into the sealed statement and nowhere else."""
    raw = secrets.token_urlsafe(32)
    AppealGrant.objects.create(
        decision=decision,
        party=AppealGrant.Party.UPLOADER,
        token_sha256=hashlib.sha256(raw.encode()).hexdigest(),
        created_at=now,
        expires_at=appeal_until(now),
    )
    return raw


def tell_reversed(decision: Decision, now: datetime) -> Notice:
    """The account need not ask: we found out ourselves that the decision was wrong. Nothing says how (T-16)."""
    content: Content = decision.flag.content
    language = closest_language(content.account.language)
    with translation.override(language):
        subject = _("We took a decision back")
        body = _(
            "The decision of {day} about {reference} was a mistake of ours. We took it back without being asked. "
            "The post and the account are as they were before, unless another decision stands."
        ).format(
            day=date_format(decision.decided_at),
            reference="".join(
                char for char in content.external_id if char.isprintable()
            ),
        )
    return moderation.order_notice(
        content=content,
        kind=Notice.Kind.DECISION_REVERSED,
        cause_ref=decision.public_id,
        language=language,
        subject=subject,
        body=body,
        now=now,
    )
