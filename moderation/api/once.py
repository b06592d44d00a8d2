"""``Idempotency-Key``: a call that is repeated because its answer was lost gets that answer and does nothing (T-31)."""

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.db import Error
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from moderation.api.view import ApiView
from moderation.services import idempotency

_NAME = re.compile(r"[\x21-\x7e]{1,200}")
HEADER = "Idempotency-Key"
ONCE = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": "^[!-~]{1,200}$"},
    OpenApiParameter.HEADER,
    description="Random, new for each deed. The same request with it again gets the same answer for 24 hours.",
)

_V = TypeVar("_V", bound=ApiView)


def once(post: Callable[..., Response]) -> Callable[..., HttpResponseBase]:
    """Wrap a deed: only what was done is remembered. What was refused did nothing, and may be tried again.

    The answer is kept as it was given, so a deed that is wrapped answers without fingerprints' values.

    :raises NameReused: see ``idempotency.begin_call``.
    :raises StillRunning: likewise.
    """

    @wraps(post)
    def wrapped(view: _V, request: Request, **names: Any) -> HttpResponseBase:
        name = request.headers.get(HEADER)
        if name is None:
            return post(view, request, **names)
        if not _NAME.fullmatch(name):
            raise ValidationError({HEADER: ["1 to 200 visible ASCII characters."]})
        call = idempotency.begin_call(
            key=view.request.auth,
            name=name,
            asked=_whole(request),
            now=timezone.now(),
        )
        if call.status is not None:
            return HttpResponse(call.answer, "application/json", call.status)
        try:
            response = post(view, request, **names)
            # As text: PostgreSQL would give an object's fields back in an order of its own.
            text = JSONRenderer().render(response.data).decode()
            call.answered(response.status_code, text, timezone.now())
        except BaseException:
            with suppress(Error):
                call.delete()
            raise
        return response

    return wrapped


def _whole(request: Request) -> bytes:
    """What is asked, in one way of writing it: a form's boundary is another one each time."""
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    data = request.data
    if not isinstance(data, QueryDict):
        digest.update(json.dumps(data, sort_keys=True).encode())
        return digest.digest()
    for name in sorted(data):
        for piece in (name.encode(errors="surrogatepass"), _bytes_of(data[name])):
            digest.update(len(piece).to_bytes(8, "big"))
            digest.update(piece)
    return digest.digest()


def _bytes_of(value: Any) -> bytes:
    if not isinstance(value, UploadedFile):
        return str(value).encode(errors="surrogatepass")
    content: bytes = value.read()
    value.seek(0)
    return content
