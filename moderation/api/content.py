"""A platform sends a content, and reads what became of it."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import access, services
from moderation.api import examples
from moderation.api.once import ONCE, once
from moderation.api.view import ApiView, checked, problems
from moderation.http import EXTERNAL_ID, ContentForm
from moderation.models import Content
from moderation.models.partners import Scope
from moderation.serializers import ContentIn, ContentOut, ReceivedOut


class Contents(ApiView):
    required_scope = Scope.CONTENT_WRITE
    parser_classes = [ContentForm]
    cost = 10

    @extend_schema(
        operation_id="send_content",
        examples=examples.SENT,
        request={"multipart/form-data": ContentIn},
        parameters=[ONCE],
        responses={202: ReceivedOut, **problems(400, 409, 413, 415, 422)},
    )
    @once
    def post(self, request: Request) -> Response:
        """Send a content to be checked.

        202 means it is kept safely and will be checked, whatever happens to us in between. The same content sent again
        (same `external_id`, same everything) gets the same answer, so repeat a request whose answer you did not get.
        The same `external_id` with anything else is refused with 409.
        """
        data = checked(ContentIn, request)
        picture = data.pop("media").read()
        content, _ = services.receive_content(
            platform=self.request.auth.platform,
            submission=services.Submission(picture=picture, **data),
            now=timezone.now(),
        )
        return Response(_received(content), status=202)


class OneContent(ApiView):
    required_scope = Scope.CONTENT_READ

    @extend_schema(
        operation_id="read_content",
        examples=examples.CONTENT,
        parameters=[
            OpenApiParameter(
                "external_id",
                {"type": "string", "pattern": f"^{EXTERNAL_ID}$"},
                OpenApiParameter.PATH,
            )
        ],
        responses={200: ContentOut, **problems(404)},
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Read what became of a content that you sent."""
        content = access.content_for(self.request.auth, external_id)
        return Response(_content(content))


def _received(content: Content) -> dict[str, Any]:
    path = reverse("api:content", kwargs={"external_id": content.external_id})
    return {
        "id": content.public_id,
        "external_id": content.external_id,
        "state": "received",
        "links": {"self": path},
    }


def _content(content: Content) -> dict[str, str]:
    return {
        "id": content.public_id,
        "external_id": content.external_id,
        "state": _state(content),
        "refused_code": content.refused_code,
        "visibility": content.visibility.lower(),
    }


def _state(content: Content) -> str:
    if content.refused_code:
        return "refused"
    states = {Content.WorkState.DONE: "checked", Content.WorkState.DEAD: "failed"}
    return states.get(Content.WorkState(content.work_state), "received")
