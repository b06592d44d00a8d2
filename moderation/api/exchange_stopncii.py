"""The list of a partner as StopNCII.org would serve it, so that clients of that protocol work unchanged.

Its withdrawals are ``hashStatus: Withdrawn``. The client that ``threatexchange`` ships does not see them (it compares
the hash and not the status); the extension in ``threatexchange_nwmc/`` does.
"""

from typing import Any

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import access
from moderation.api.exchange_keys import FunctionKeys
from moderation.api.fingerprints import ADDED_A_TOKEN
from moderation.api.view import ApiView
from moderation.http import FingerprintsJSON
from moderation.models.partners import Scope
from moderation.serializers.exchange import (
    MAX_PAGE,
    WIRE_TYPES,
    FeedbacksIn,
    FetchIn,
    RecordsIn,
)
from moderation.services import sharing

_SOURCE = "nwmc"
_WIRE_NAMES = {kind: name for name, kind in WIRE_TYPES.items()}


class StopNCIIView(ApiView):
    authentication_classes = [FunctionKeys]
    schema = None


class FetchHashes(StopNCIIView):
    required_scope = Scope.EXCHANGE_READ
    cost = 5
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> Response:
        asked = _valid(FetchIn(data=request.query_params))
        page = sharing.read_page(
            partner=self.request.auth.platform,
            start=asked["startTimestamp"],
            place=asked["nextPageToken"],
            size=min(asked["pageSize"], MAX_PAGE),
            now=timezone.now(),
        )
        return Response(
            {
                "count": len(page.lines),
                "nextPageToken": page.next_place or None,
                "nextSetTimestamp": page.next_second,
                "hasMoreRecords": bool(page.next_place),
                "hashRecords": [_record(line) for line in page.lines],
            }
        )


class SubmitHashes(StopNCIIView):
    required_scope = Scope.EXCHANGE_WRITE
    http_method_names = ["post"]
    parser_classes = [FingerprintsJSON]

    @sensitive_variables()
    def post(self, request: Request) -> Response:
        given = _valid(RecordsIn(data=request.data))["hashRecords"]
        key, now = self.request.auth, timezone.now()
        access.spend(key, len(given) / ADDED_A_TOKEN, now)
        count = sharing.take_hashes(partner=key.platform, given=given, now=now)
        return Response({"count": count})


class SubmitFeedback(StopNCIIView):
    required_scope = Scope.EXCHANGE_WRITE
    http_method_names = ["post"]
    parser_classes = [FingerprintsJSON]

    @sensitive_variables()
    def post(self, request: Request) -> Response:
        said = _valid(FeedbacksIn(data=request.data))["hashFeedbacks"]
        key, now = self.request.auth, timezone.now()
        access.spend(key, len(said) - self.cost, now)
        known = [
            sharing.take_opinion(
                partner=key.platform,
                signal_type=signal_type,
                value=value,
                is_right=is_right,
                now=now,
            )
            for signal_type, value, is_right in said
        ]
        return Response({"count": len(said), "unknownCount": known.count(False)})


def _valid(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    """
    :raises rest_framework.exceptions.ValidationError: naming the fields, never what they held.
    """
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _record(line: sharing.Line) -> dict[str, Any]:
    """All that is known of one value: a later record replaces it whole."""
    return {
        "lastModtimestamp": line.second,
        "signalType": _WIRE_NAMES[line.signal_type],
        "hashValue": line.value.hex(),
        "hashStatus": _status(line.is_live),
        "caseNumbers": {case: _status(stands) for case, stands in line.cases.items()},
        "CSPFeedbacks": [_said(line)],
    }


def _status(is_live: bool) -> str:
    return "Active" if is_live else "Withdrawn"


def _said(line: sharing.Line) -> dict[str, Any]:
    """What this house says of it: a verdict if a reviewer confirmed it, otherwise a seed to look at (T-18).

    To a client that overlooks a withdrawal it is at least a disputed one.
    """
    if not line.is_live:
        value, tag = "NotBlocked", "withdrawn"
    elif line.is_confirmed:
        value, tag = "Blocked", "confirmed"
    else:
        value, tag = "None", "claimed"
    return {"feedbackValue": value, "tags": [tag], "source": _SOURCE}
