"""A platform adds fingerprints to banks of its own, pauses and withdraws them, and says whether a match was right."""

from typing import Any

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import access
from moderation.api import examples
from moderation.api.once import ONCE, once
from moderation.api.view import ApiView, BankView, checked, problems
from moderation.http import FingerprintsJSON
from moderation.models import BankedHash
from moderation.models.partners import Scope
from moderation.serializers import (
    AllAddedOut,
    FingerprintOut,
    FingerprintsIn,
    OpinionIn,
    OpinionOut,
    PauseIn,
)
from moderation.services import banks

# To bank one costs a small part of what it costs to ask about one.
ADDED_A_TOKEN = 10
_ID = OpenApiParameter(
    "public_id",
    {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    OpenApiParameter.PATH,
)


class Fingerprints(BankView):
    parser_classes = [FingerprintsJSON]

    @extend_schema(
        operation_id="add_fingerprints",
        examples=examples.ADD,
        parameters=[ONCE],
        request={"application/json": FingerprintsIn},
        responses={201: AllAddedOut, **problems(400, 404, 409, 413, 415, 422)},
    )
    @once
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        """Add up to 1,000 fingerprints to a bank of your own: all of them, or none.

        They are matched from the very next request on, in every process, and what was posted before is searched for
        them. The same fingerprint again in the same bank gets the same id. They are claims: what matches them is held
        until people have looked, never removed. One that lies too near to a picture that nobody may ban is parked:
        its matches are only questions for people.
        """
        data = checked(FingerprintsIn, request)
        now = timezone.now()
        key = self.request.auth
        access.spend(key, len(data["fingerprints"]) / ADDED_A_TOKEN, now)
        rows = banks.add_fingerprints(
            bank=access.bank_for(key, data["bank"]),
            platform=key.platform,
            given=data["fingerprints"],
            now=now,
        )
        return Response({"fingerprints": [_added(row) for row in rows]}, status=201)


class OneFingerprint(BankView):
    @extend_schema(
        operation_id="read_fingerprint",
        examples=examples.FINGERPRINT,
        parameters=[_ID],
        responses={200: FingerprintOut, **problems(404)},
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Read how a fingerprint of your own stands. Its value is in the export of its bank."""
        return Response(_fingerprint(access.hash_for(self.request.auth, public_id)))

    @extend_schema(
        operation_id="pause_fingerprint",
        examples=examples.PAUSE,
        parameters=[_ID],
        request={"application/json": PauseIn},
        responses={200: FingerprintOut, **problems(400, 404, 413, 415)},
    )
    def patch(self, request: Request, public_id: str) -> Response:
        """Pause a fingerprint of your own: nothing is matched with it until then."""
        key = self.request.auth
        row = access.hash_for(key, public_id)
        until = checked(PauseIn, request)["disabled_until"]
        row = banks.pause_hash(hash=row, platform=key.platform, until=until)
        return Response(_fingerprint(row))

    @extend_schema(
        operation_id="withdraw_fingerprint",
        parameters=[_ID],
        responses={204: None, **problems(404)},
    )
    def delete(self, request: Request, public_id: str) -> Response:
        """Withdraw a fingerprint of your own for good: the very next request is not matched with it."""
        key = self.request.auth
        banks.withdraw_fingerprint(
            hash=access.hash_for(key, public_id),
            platform=key.platform,
            now=timezone.now(),
        )
        return Response(status=204)


class Opinions(ApiView):
    required_scope = Scope.BANK_OPINION

    @extend_schema(
        operation_id="give_opinion",
        examples=examples.OPINION,
        parameters=[_ID, ONCE],
        request={"application/json": OpinionIn},
        responses={200: OpinionOut, **problems(400, 404, 409, 413, 415, 422)},
    )
    @once
    def post(self, request: Request, public_id: str) -> Response:
        """Say whether a match was right, of any fingerprint that was shown to you as evidence.

        Your last word counts. Where two platforms or more call it wrong, and more than call it right, its matches are
        only questions for people from then on.
        """
        key = self.request.auth
        row = access.any_hash(public_id)
        is_right = checked(OpinionIn, request)["is_right"]
        banks.give_opinion(
            hash=row, platform=key.platform, is_right=is_right, now=timezone.now()
        )
        return Response({"id": row.public_id, "is_right": is_right})


def _added(row: BankedHash) -> dict[str, Any]:
    return {"id": row.public_id, "parked": row.parked_why.lower()}


def _fingerprint(row: BankedHash) -> dict[str, Any]:
    return {
        **_added(row),
        "bank": row.bank.slug,
        "signal_type": row.signal_type,
        "quality": row.quality,
        "standing": row.standing.lower(),
        "is_demoted": row.demoted_at is not None,
        "disabled_until": row.disabled_until,
        "added_at": row.added_at,
    }
