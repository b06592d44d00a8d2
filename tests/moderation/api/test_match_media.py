"""A picture or a video is asked about by its bytes."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from django.conf import settings as django_settings
from PIL import Image

from moderation import hashing
from moderation.models import HashBank
from tests.moderation.api.conftest import MATCH, Caller, file, problem_of
from tests.moderation.api.test_match import PUBLIC_KEYS, bank


class TestAPicture:
    def test_matches_what_was_made_of_it_elsewhere(
        self, caller: Caller, cases: HashBank, photo: bytes
    ) -> None:
        with Image.open(io.BytesIO(photo)) as image:
            pixels = image.convert("RGB")
        bank(hashing.pdq(np.asarray(pixels)).hash)
        again = io.BytesIO()
        pixels.resize((300, 200)).save(again, "JPEG", quality=60)

        response = caller.form(MATCH, media=file(again.getvalue()))

        (answer,) = response.json()["answers"]
        assert (answer["verdict"], set(answer)) == ("hold", PUBLIC_KEYS)

    def test_that_nobody_banked_is_allowed(
        self, caller: Caller, cases: HashBank, photo: bytes
    ) -> None:
        (answer,) = caller.form(MATCH, media=file(photo)).json()["answers"]

        assert (answer["verdict"], answer["degraded"]) == ("allow", False)

    @pytest.mark.parametrize(
        ("data", "code"),
        [(b"text", "not_an_image"), (b"\x89PNG\r\n\x1a\n", "truncated")],
    )
    def test_that_is_none_is_refused(
        self, caller: Caller, cases: HashBank, data: bytes, code: str
    ) -> None:
        assert problem_of(caller.form(MATCH, media=file(data))) == (422, code)

    def test_above_10_mib_is_refused(self, caller: Caller) -> None:
        large = file(bytes(10 * 1024 * 1024 + 1))

        assert problem_of(caller.form(MATCH, media=large)) == (413, "too_large")

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"media": "text"},
            {"media": file(b"")},
            {"media": file(), "account_id": "ana"},
            {"media": file(), "second": file()},
        ],
        ids=str,
    )
    def test_alone_is_what_the_form_holds(
        self, caller: Caller, fields: dict[str, Any]
    ) -> None:
        assert problem_of(caller.form(MATCH, **fields)) == (400, "invalid")

    def test_leaves_nothing_behind(
        self, caller: Caller, cases: HashBank, photo: bytes
    ) -> None:
        """T-46: no row, no file, no cache entry holds a piece of what was asked about."""
        marker = b"planted-marker-6f1c"
        caller.form(MATCH, media=file(photo))  # the first one opens the key's budget
        rows = row_counts()
        for _ in range(5):
            caller.form(MATCH, media=file(photo + marker))

        value = hashing.sha256(photo + marker)
        pieces = [marker, value, value.hex().encode()]
        assert row_counts() == rows
        for path in Path(django_settings.VAR_DIR).rglob("*"):
            # Whoever closes SQLite's own files lets go of the locks that this process has on them.
            if path.is_file() and "sqlite3" not in path.name:
                kept = path.read_bytes()
                assert not any(piece in kept for piece in pieces), path


class TestAVideo:
    def test_matches_the_frames_that_were_banked(
        self, caller: Caller, cases: HashBank, pictures: Path
    ) -> None:
        shown = [still(pictures / name) for name in STILLS]
        frames = [hashing.pdq(np.asarray(one)).hash for one in shown]
        before = caller.form(MATCH, media=file(moving(shown))).json()["answers"]
        bank(b"".join(frames), signal_type="vpdq")

        after = caller.form(MATCH, media=file(moving(shown))).json()["answers"]
        other = caller.form(MATCH, media=file(moving(shown[:1]))).json()["answers"]

        verdicts = [one[0]["verdict"] for one in (before, after, other)]
        assert verdicts == ["allow", "hold", "allow"]
        assert set(after[0]) == PUBLIC_KEYS


STILLS = ["chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg", "brick.png"]


def still(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB").resize((256, 256))


def moving(shown: list[Image.Image]) -> bytes:
    """A second of each, and never a single frame."""
    out = io.BytesIO()
    first, *rest = [*shown, shown[0]]
    first.save(
        out, "WEBP", save_all=True, append_images=rest, duration=1000, quality=90
    )
    return out.getvalue()


def row_counts() -> dict[str, int]:
    return {model._meta.label: model.objects.count() for model in apps.get_models()}
