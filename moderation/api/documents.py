"""The API describes itself: an OpenAPI document, and a page that shows it. Both only behind a key (T-34)."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularSwaggerSplitView,
)
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from moderation.access import ApiKeyAuthentication, HasKey


class Schema(SpectacularJSONAPIView):
    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasKey]


# The page fetches the document from here, and its style sheet carries small pictures.
@method_decorator(
    csp_replace({"connect-src": [SELF], "img-src": [SELF, "data:"]}), name="dispatch"
)
class Docs(SpectacularSwaggerSplitView):
    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasKey]
    url_name = "api:schema"
    template_name = "api/docs.html"

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal is a problem document here too, not a page."""
        self.request.accepted_renderer = JSONRenderer()
        return super().handle_exception(exc)


class BearerKey(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "moderation.access.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "Your key: hub_<prefix>_<secret>. It names your platform and its scopes.",
        }


PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `type` is stable and for machines; `errors` names fields.",
    "properties": {
        "type": {"type": "string", "pattern": "^urn:problem:[a-z_]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {}},
    },
    "required": ["type", "title", "status", "detail"],
}


def exact(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Complete the document: the shape of a refusal, and what the serializers refuse beyond types."""
    schemas = result["components"].get("schemas")
    if not schemas:
        return result  # another face, which has no API to describe
    for name, schema in schemas.items():
        if name.endswith("Request"):
            schema["additionalProperties"] = False
            for sent in {"media", "file"} & set(schema["properties"]):
                schema["properties"][sent]["minLength"] = 1
    schemas["Problem"] = PROBLEM
    _forget_marks(schemas)
    return result


def _forget_marks(node: Any) -> None:
    """Enumerations stay where they are used, so the marks by which they would be collected say nothing."""
    if isinstance(node, dict):
        node.pop("x-spec-enum-id", None)
        for inner in node.values():
            _forget_marks(inner)
