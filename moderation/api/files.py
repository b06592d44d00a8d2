"""A bank of a platform's own, filled from a file and written to one."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import access
from moderation.api import examples
from moderation.api.banks import SLUG
from moderation.api.fingerprints import ADDED_A_TOKEN
from moderation.api.once import ONCE, once
from moderation.api.view import BankView, checked, problems
from moderation.http import BankForm
from moderation.models import HashBank
from moderation.serializers import ExportIn, ImportedOut, ImportIn
from moderation.services import banks, importing

_FILE_COST = 50
_TYPES = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "threatexchange": "text/plain",
}


class ImportView(BankView):
    parser_classes = [BankForm]
    cost = _FILE_COST

    @extend_schema(
        operation_id="import_fingerprints",
        examples=examples.IMPORT,
        parameters=[SLUG, ONCE],
        request={"multipart/form-data": ImportIn},
        responses={200: ImportedOut, **problems(400, 404, 409, 413, 415, 422)},
    )
    @once
    @sensitive_variables()
    def post(self, request: Request, slug: str) -> Response:
        """Fill a bank of your own from a file: all of it, or nothing if any line is wrong.

        A refusal names the first ten lines that are wrong. An interrupted import is completed by the same file again.
        For more than 10 MiB there is `manage.py import_hashes`.
        """
        key, now = self.request.auth, timezone.now()
        bank = access.bank_for(key, slug)
        data = checked(ImportIn, request)
        # A line is 70 bytes or more.
        access.spend(key, data["file"].size / (70 * ADDED_A_TOKEN), now)
        imported = banks.import_file(bank=bank, platform=key.platform, now=now, **data)
        counts = {
            "added_count": imported.added_count,
            "known_count": imported.known_count,
        }
        return Response(counts)


class ExportView(BankView):
    cost = _FILE_COST

    def perform_content_negotiation(
        self, request: Request, force: bool = False
    ) -> tuple[BaseRenderer, str]:
        """``format`` is a name of ours here, and not DRF's way to choose a renderer."""
        return JSONRenderer(), JSONRenderer.media_type

    @extend_schema(
        operation_id="export_fingerprints",
        examples=examples.EXPORT,
        parameters=[SLUG, ExportIn],
        responses={
            **{(200, kind): OpenApiTypes.STR for kind in _TYPES.values()},
            **problems(400, 404),
        },
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Read all fingerprints of a bank of your own, in one of the formats that an import takes."""
        bank = access.bank_for(self.request.auth, slug)
        asked = ExportIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        format = asked.validated_data["format"]
        lines = importing.write_hashes(_rows(bank), format)
        return StreamingHttpResponse(lines, content_type=_TYPES[format])


def _rows(bank: HashBank) -> Iterator[banks.Given]:
    for row in bank.hashes.live().order_by("pk").iterator(chunk_size=1000):
        yield banks.Given(row.signal_type, banks.value_of(row), row.quality)
