"""A platform asks before it publishes. The answer says what to do and nothing about why (T-12)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import access, services
from moderation.api import examples
from moderation.api.view import ApiView, checked, problems
from moderation.http import BoundedJSON, MatchForm
from moderation.media import MediaRefused, recognise
from moderation.media.limits import VIDEO_KINDS
from moderation.media.recognise import may_move
from moderation.models.partners import Scope
from moderation.serializers import AnswersOut, HashesIn, MediaIn
from moderation.services import probing

_PICTURE_COST = 10
# A minute of video is decoded in about the time of ten pictures.
_VIDEO_COST = 100
# The frames of a video are compared in one pass, 16 in the time of one hash.
_FRAMES_A_TOKEN = 16


class MatchView(ApiView):
    parser_classes = [BoundedJSON, MatchForm]

    def scope_of(self, request: Request) -> Scope:
        return Scope.MATCH_BYTES if _has_bytes(request) else Scope.MATCH_HASH

    @extend_schema(
        operation_id="match",
        examples=examples.MATCH,
        request={"application/json": HashesIn, "multipart/form-data": MediaIn},
        responses={200: AnswersOut, **problems(400, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Ask about fingerprints, or about a picture or a video, before you publish.

        `allow`: nothing that you should wait for. `hold`: do not show it before people have looked; send it as a
        content. `block`: do not publish it. Nothing of what you ask about is kept. JSON needs the scope `match:hash`,
        a picture or a video the scope `match:bytes`. Each answer is of this moment, so there is no `Idempotency-Key`
        here: asking changes nothing.
        """
        verdicts = self._of_media() if _has_bytes(request) else self._of_hashes()
        shows = self.request.auth.allows(Scope.MATCH_EVIDENCE)
        return Response({"answers": [_answer(one, shows) for one in verdicts]})

    @sensitive_variables()
    def _of_hashes(self) -> list[services.Verdict]:
        asked = checked(HashesIn, self.request)["hashes"]
        now = timezone.now()
        price = sum(_price(one.signal_type, one.value) for one in asked)
        access.spend(self.request.auth, price - self.cost, now)
        verdicts = services.match(
            platform=self.request.auth.platform,
            queries=[services.query_of(one.signal_type, one.value) for one in asked],
            now=now,
        )
        self._watch([one.value for one in asked], verdicts, now)
        return verdicts

    @sensitive_variables()
    def _of_media(self) -> list[services.Verdict]:
        media = checked(MediaIn, self.request)["media"].read()
        now = timezone.now()
        access.spend(self.request.auth, _price_of(media) - self.cost, now)
        platform = self.request.auth.platform
        verdicts = [services.match_media(platform=platform, media=media, now=now)]
        self._watch([media], verdicts, now)
        return verdicts

    @sensitive_variables()
    def _watch(
        self,
        asked: Sequence[bytes],
        verdicts: Sequence[services.Verdict],
        now: datetime,
    ) -> None:
        matched = [
            (what, evidence.fingerprint)
            for what, verdict in zip(asked, verdicts, strict=True)
            for evidence in verdict.evidence
        ]
        probing.watch_matches(key=self.request.auth, matched=matched, now=now)


def _price(signal_type: str, value: bytes) -> float:
    if signal_type != "vpdq":
        return 1
    return 1 + len(value) // 32 / _FRAMES_A_TOKEN


def _price_of(media: bytes) -> int:
    """By what it begins like: to look inside is the work that is to be paid for."""
    try:
        kind = recognise(media)
    except MediaRefused:
        return _PICTURE_COST
    moves = kind in VIDEO_KINDS or may_move(media, kind)
    return _VIDEO_COST if moves else _PICTURE_COST


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
                "standing": one.standing.lower(),
                "fingerprint": one.fingerprint,
                "reference": one.reference,
            }
            for one in verdict.evidence
        ]
    return answer
