"""A platform with a key, asking over HTTP."""

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from moderation.models import ApiKey, HashBank, Platform
from moderation.models.partners import Scope
from tests.factories import HashBankFactory, PlatformFactory

CONTENTS = "/api/v1/content/"
MATCH = "/api/v1/match/"
FINGERPRINTS = "/api/v1/fingerprints/"
BANKS = "/api/v1/banks/"
ALL_BUT_EVIDENCE = [scope for scope in Scope if scope != Scope.MATCH_EVIDENCE]


class Caller:
    """Sends what it is told to, as a platform's own program would."""

    def __init__(self, raw: str) -> None:
        self.raw = raw

    def ask(self, method: str, path: str, **how: Any) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.raw}", **how.pop("headers", {})}
        return Client(raise_request_exception=True).generic(
            method, path, headers=headers, **how
        )

    def get(self, path: str) -> HttpResponse:
        return self.ask("GET", path)

    def delete(self, path: str) -> HttpResponse:
        return self.ask("DELETE", path)

    def json(
        self, body: Any, path: str = MATCH, method: str = "POST", **headers: str
    ) -> HttpResponse:
        data = body if isinstance(body, bytes) else json.dumps(body)
        type_ = "application/json"
        return self.ask(method, path, data=data, content_type=type_, headers=headers)

    def form(
        self, path: str = CONTENTS, headers: Any = None, **fields: Any
    ) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.raw}", **(headers or {})}
        return Client().post(path, fields, headers=headers)

    def verdict(self, *values: bytes) -> str:
        """What the API says of PDQ hashes, as words in one string."""
        hashes = [{"signal_type": "pdq", "value": value.hex()} for value in values]
        answers = self.json({"hashes": hashes}).json()["answers"]
        return " ".join(one["verdict"] for one in answers)


def make_key(platform: Platform, *scopes: Scope) -> tuple[ApiKey, str]:
    prefix, digest, raw = ApiKey.new_secret()
    now = timezone.now()
    key = ApiKey.objects.create(
        platform=platform,
        prefix=prefix,
        secret_sha256=digest,
        scopes=list(scopes),
        created_at=now - timedelta(days=1),
        expires_at=now + timedelta(days=30),
    )
    return key, raw


def file(data: bytes = b"\xff\xd8\xff picture", name: str = "p") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "application/octet-stream")


def content(**changes: Any) -> dict[str, Any]:
    """The fields of a valid content; ``None`` leaves one out."""
    fields = {"external_id": "post-1", "account_id": "ana", "media": file(), **changes}
    return {name: value for name, value in fields.items() if value is not None}


def problem_of(response: HttpResponse) -> tuple[int, str]:
    """Status and code, of a refusal that is a problem document."""
    assert response["Content-Type"] == "application/problem+json", response.content
    body = json.loads(response.content)
    assert body["status"] == response.status_code
    assert {"type", "title", "status", "detail"} <= set(body)
    return response.status_code, body["type"].removeprefix("urn:problem:")


@pytest.fixture
def caller(platform: Platform) -> Caller:
    return Caller(make_key(platform, *ALL_BUT_EVIDENCE)[1])


@pytest.fixture
def stranger(db: None) -> Caller:
    """Another platform with the same scopes."""
    other = PlatformFactory(alias="instagram")
    return Caller(make_key(other, *ALL_BUT_EVIDENCE)[1])


def print_of(name: object) -> bytes:
    """32 bytes that could be a picture's PDQ: half of the bits are set. Another name's are far away."""
    bits = random.Random(str(name)).sample(range(256), 128)  # noqa: S311
    return sum(1 << bit for bit in bits).to_bytes(32, "big")


def entry(value: bytes, signal_type: str = "pdq", **more: Any) -> dict[str, Any]:
    return {"signal_type": signal_type, "value": value.hex(), **more}


@pytest.fixture
def own_bank(platform: Platform) -> HashBank:
    """A bank that the platform opened through the API."""
    return HashBank.objects.create(
        slug="facebook-own",
        name="Own",
        kind=HashBank.Kind.PARTNER,
        owner=platform,
        created_at=timezone.now(),
    )


@pytest.fixture
def cases(db: None) -> HashBank:
    return HashBankFactory()


@pytest.fixture
def photo(pictures: Path) -> bytes:
    return (pictures / "chelsea.png").read_bytes()


@pytest.fixture(autouse=True)
def _evidence_of_its_own(tmp_path: Path, settings: Any) -> None:
    backend = settings.STORAGES["evidence"]
    options = {**backend["OPTIONS"], "location": tmp_path / "evidence"}
    settings.STORAGES = {
        **settings.STORAGES,
        "evidence": {**backend, "OPTIONS": options},
    }


def stored_files() -> list[str]:
    home = Path(storages["evidence"].location)
    names = [path.relative_to(home).as_posix() for path in home.rglob("*")]
    return [name for name in names if (home / name).is_file()]
