"""The one base of everything this project refuses to do, and how the API says it (RFC 9457, problem+json)."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response


class Refusal(Exception):  # noqa: N818 (a refusal is an answer, not an error)
    """A named "no" with a message fit to show; ``code`` is stable and for machines."""

    code = "refused"
    status = HTTPStatus.CONFLICT


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    body = {
        "type": f"urn:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        **more,
    }
    return Response(body, status=status, content_type="application/problem+json")


def problem_json(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal becomes a problem document; anything else is a bug and may crash."""
    if isinstance(error, Refusal):
        return problem(error.status, error.code, str(error))
    if isinstance(error, Http404):
        return problem(404, "not_found", "There is nothing here for this key.")
    if isinstance(error, PermissionDenied):
        return problem(403, "forbidden", "This key may not do this.")
    if isinstance(error, OperationalError | InterfaceError):
        answer = problem(
            503, "busy", "The database is busy. Send the same request again."
        )
        answer["Retry-After"] = "2"
        return answer
    if isinstance(error, RequestDataTooBig):
        return problem(413, "too_large", "The body is larger than this route takes.")
    if isinstance(error, SuspiciousOperation):
        return problem(400, "invalid", "The request is not well formed.")
    if isinstance(error, exceptions.ValidationError):
        return problem(
            400,
            "invalid",
            "Some fields are missing or not as documented.",
            errors=error.detail,
        )
    if isinstance(error, exceptions.APIException):
        code = error.get_codes()
        answer = problem(
            error.status_code,
            code if isinstance(code, str) else "invalid",
            str(error.detail),
        )
        if isinstance(
            error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed
        ):
            answer["WWW-Authenticate"] = 'Bearer realm="api"'
        wait = getattr(error, "wait", None)
        if wait:
            answer["Retry-After"] = str(int(wait) + 1)
        return answer
    return None
