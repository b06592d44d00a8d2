"""What every route of the API has in common."""

from functools import cache
from typing import Any, ClassVar

from django.http import Http404
from django.utils import translation
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from moderation.access import HasKey, HasScope, KeyBudgetThrottle
from moderation.http import BoundedJSON, LengthRequired, PlatformRequest
from moderation.models.partners import Scope
from moderation.serializers import Strict

PROBLEM = "application/problem+json"


class ApiView(APIView):
    """A route with one scope and a price in tokens. Its words are English in every client, so that answers compare."""

    required_scope: ClassVar[Scope]
    cost: ClassVar[int] = 1
    permission_classes = [HasScope]
    throttle_classes = [KeyBudgetThrottle]
    parser_classes = [BoundedJSON]
    http_method_names = ["get", "head", "post", "patch", "delete"]
    request: PlatformRequest

    def scope_of(self, request: Request) -> Scope:
        return self.required_scope

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        translation.activate("en")
        super().initial(request, *args, **kwargs)
        # WSGI gives no body without its length; without this the sender would hear that every field is missing.
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get(
            "CONTENT_LENGTH"
        ):
            raise LengthRequired


class BankView(ApiView):
    """A route about one's own banks: one scope to look, another to change."""

    def scope_of(self, request: Request) -> Scope:
        return Scope.BANK_READ if request.method in _LOOKS else Scope.BANK_WRITE


_LOOKS = {"GET", "HEAD"}


class Nothing(APIView):
    """Any other address below /api/: the same problem document as for a content that is not there."""

    permission_classes = [HasKey]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Http404


def checked(kind: type[Strict], request: Request) -> dict[str, Any]:
    """
    :raises rest_framework.exceptions.ValidationError: naming the fields, never what they held.
    """
    try:
        read: dict[str, Any] = _reader(kind).run_validation(request.data)
    except ValidationError as error:
        if isinstance(error.detail, dict):
            raise
        raise ValidationError({"non_field_errors": error.detail}) from None
    return dict(read)


@cache
def _reader(kind: type[Strict]) -> Strict:
    """One for all requests, as reading changes nothing of it: to copy its fields for each cost a tenth of a look-up."""
    return kind()


_MEANINGS = {
    400: "A field is missing or not as documented; `errors` names it.",
    401: "No key, or one that is unknown, expired or revoked.",
    403: "The key does not have the scope that this route needs.",
    404: "There is nothing here for this key.",
    409: "It contradicts what was sent before; `type` says what.",
    413: "The body is too large.",
    415: "The body is of another content type.",
    422: "It is well formed, and cannot be done; `type` says why.",
    429: "The key has used up its allowance. Wait as `Retry-After` says.",
    503: "Busy. Nothing was done; send the same again.",
}


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """For the schema: these statuses, and those that any route may answer with."""
    shape = {"$ref": "#/components/schemas/Problem"}
    return {
        (status, PROBLEM): OpenApiResponse(shape, _MEANINGS[status])
        for status in (*statuses, 401, 403, 429, 503)
    }
