"""The same call again gets the same answer and does nothing: what stands behind ``Idempotency-Key`` (T-31)."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from moderation.errors import Refusal
from moderation.models import ApiKey, IdempotentCall
from moderation.storage import blind_index

KEPT = timedelta(hours=24)
# Longer than any request lasts: whoever claimed it then was killed, and did nothing that stands.
_GIVEN_UP = timedelta(minutes=10)


class NameReused(Refusal):
    """The key of a call that asked for something else."""

    code = "idempotency_key_reused"
    status = 422  # type: ignore[assignment]


class StillRunning(Refusal):
    """The first of two equal calls has no answer yet."""

    code = "still_running"


def begin_call(
    *, key: ApiKey, name: str, asked: bytes, now: datetime
) -> IdempotentCall:
    """Claim a name for a call, or find the call that had it: then ``status`` is set, and ``answer`` is its answer.

    :param asked: what names the deed: the method, the path and the whole body.
    :raises NameReused: if the name stood for something else in the last 24 hours.
    :raises StillRunning: if the first call has no answer yet.
    """
    names = {"key": key, "name_index": blind_index(name.encode(), "idempotency-name")}
    body = blind_index(asked, "idempotency-body")
    IdempotentCall.objects.filter(**names, called_at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return IdempotentCall.objects.create(
                **names, body_index=body, called_at=now
            )
    except IntegrityError:
        # Gone in the meantime, the first call was refused: it is as if it still ran.
        call = IdempotentCall.objects.filter(**names).first()
    if call and call.body_index != body:
        raise NameReused(
            "This Idempotency-Key was used for another request. Use a new one."
        )
    if call and (call.status is not None or _taken_over(call, now)):
        return call
    raise StillRunning("The first request with this Idempotency-Key is not done yet.")


def _taken_over(call: IdempotentCall, now: datetime) -> bool:
    """Compare and set: of two that find a call given up, one goes on with it."""
    left = IdempotentCall.objects.filter(
        pk=call.pk, status__isnull=True, called_at__lt=now - _GIVEN_UP
    )
    return bool(left.update(called_at=now))
