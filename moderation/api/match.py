"""A platform asks before it publishes. The answer says what to do and nothing about why (T-12)."""

from typing import Any

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import access, services
from moderation.api.view import ApiView, checked, problems
from moderation.http import BoundedJSON, MatchForm
from moderation.models.partners import Scope
from moderation.serializers import AnswersOut, HashesIn, PictureIn

_PICTURE_COST = 10


class MatchView(ApiView):
    parser_classes = [BoundedJSON, MatchForm]

    def scope_of(self, request: Request) -> Scope:
        return Scope.MATCH_BYTES if _has_bytes(request) else Scope.MATCH_HASH

    @extend_schema(
        operation_id="match",
        request={"application/json": HashesIn, "multipart/form-data": PictureIn},
        responses={200: AnswersOut, **problems(400, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Ask about hashes, or about a picture, before you publish.

        `allow`: nothing that you should wait for. `hold`: do not show it before people have looked; send it as a
        content. `block`: do not publish it. Nothing of what you ask about is kept. JSON needs the scope `match:hash`,
        a picture the scope `match:bytes`.
        """
        verdicts = self._of_picture() if _has_bytes(request) else self._of_hashes()
        shows = self.request.auth.allows(Scope.MATCH_EVIDENCE)
        return Response({"answers": [_answer(one, shows) for one in verdicts]})

    @sensitive_variables()
    def _of_hashes(self) -> list[services.Verdict]:
        asked = checked(HashesIn, self.request)["hashes"]
        now = timezone.now()
        access.spend(self.request.auth, len(asked) - self.cost, now)
        hashes = [bytes.fromhex(one["value"]) for one in asked]
        return services.match(
            platform=self.request.auth.platform, hashes=hashes, now=now
        )

    @sensitive_variables()
    def _of_picture(self) -> list[services.Verdict]:
        picture = checked(PictureIn, self.request)["media"].read()
        now = timezone.now()
        access.spend(self.request.auth, _PICTURE_COST - self.cost, now)
        platform = self.request.auth.platform
        return [services.match_picture(platform=platform, picture=picture, now=now)]


def _has_bytes(request: Request) -> bool:
    return (request.content_type or "").lower().startswith("multipart/")


def _answer(verdict: services.Verdict, shows_evidence: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "verdict": verdict.verdict,
        "match_id": verdict.match_id,
        "degraded": verdict.degraded,
    }
    if shows_evidence:
        answer["evidence"] = [
            {
                "bank": one.bank,
                "signal_type": one.signal_type,
                "distance": one.distance,
                "threshold": one.threshold,
                "standing": one.standing,
            }
            for one in verdict.evidence
        ]
    return answer
