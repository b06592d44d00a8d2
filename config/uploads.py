"""Uploads stay in memory: nothing a platform sends is ever written to a temporary file (T-09, T-46)."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler


class BoundedMemoryHandler(MemoryFileUploadHandler):
    """Django's memory handler leaves larger bodies to the temporary-file handler; here there is none, so refuse.

    :raises RequestDataTooBig: for a body above FILE_UPLOAD_MAX_MEMORY_SIZE.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],  # noqa: N803 (Django's name)
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        # A little room for the form's other fields and the boundaries.
        if content_length > settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 64 * 1024:
            raise RequestDataTooBig("The request is larger than this service takes.")
        self.activated = True
