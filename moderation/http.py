"""What a request of a platform is, and the only two ways its body is read: bounded, and without surprises."""

import json
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, NoReturn

from django.utils.datastructures import MultiValueDict
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser
from rest_framework.request import Request

from moderation.models import ApiKey, Platform

# A platform's own id of something: what may stand in a URL as it is, and begins with nothing that a path gives a
# meaning to.
EXTERNAL_ID = r"[A-Za-z0-9_][A-Za-z0-9._~:@+=,-]{0,199}"
# Room for a form's other fields and boundaries beside its file.
_FORM_BYTES = 64 * 1024


if TYPE_CHECKING:

    class PlatformRequest(Request):
        """A request whose key has been checked: the platform is the key's, whatever the body says (T-29)."""

        user: Platform  # type: ignore[assignment]
        auth: ApiKey

else:
    PlatformRequest = Request


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "The body is larger than this route takes."


class LengthRequired(APIException):
    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_code = "length_required"
    default_detail = "Say how long the body is: send Content-Length."


class BoundedJSON(BaseParser):
    """JSON in UTF-8, as RFC 8259 means it: every name once, numbers that are numbers."""

    media_type = "application/json"
    limit = 64 * 1024
    too_large: str | None = None

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(self.limit + 1)
        if len(body) > self.limit:
            raise TooLarge(self.too_large)
        try:
            return json.loads(
                body.decode(), object_pairs_hook=_each_once, parse_constant=_refuse
            )
        except (ValueError, RecursionError):
            raise ParseError("The body is not valid JSON.") from None


class FingerprintsJSON(BoundedJSON):
    limit = 1024 * 1024
    too_large = (
        "Send at most 1,000 fingerprints and 1 MiB in one call, or more as a file to"
        " /api/v1/banks/<slug>/import/."
    )


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def _refuse(_: str) -> NoReturn:
    raise ValueError


class BoundedForm(MultiPartParser):
    """A form with one file of at most ``limit`` bytes, kept in memory; refused by its announced length, unread."""

    limit = 0

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> "DataAndFiles[Any, Any]":
        request = (parser_context or {})["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.limit + _FORM_BYTES:
            raise TooLarge
        parsed = super().parse(stream, media_type, parser_context)
        for values in (parsed.data, parsed.files):
            _must_be_single(values)
        files: dict[str, Any] = parsed.files.dict()
        if any(file.size > self.limit for file in files.values()):
            raise TooLarge
        return parsed


def _must_be_single(values: MultiValueDict[str, Any]) -> None:
    if any(len(found) > 1 for _, found in values.lists()):
        raise ParseError("A field was sent twice.")


class ContentForm(BoundedForm):
    limit = 50 * 1024 * 1024


class MatchForm(BoundedForm):
    limit = 10 * 1024 * 1024


class BankForm(BoundedForm):
    limit = 10 * 1024 * 1024
