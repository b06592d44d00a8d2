import io
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from pytest_django.live_server_helper import LiveServer

from moderation.models import HashBank, Platform
from tests.moderation.api.conftest import ALL_BUT_EVIDENCE, Caller, make_key, problem_of

SCHEMA = "/api/v1/schema/"
DOCS = "/api/v1/docs/"
REFUSED = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422]
config = schemathesis.Config.from_dict(
    {
        "checks": {
            # A form that is as documented may still hold bytes that are no picture: no schema can say so.
            "positive_data_acceptance": {"expected-statuses": ["2xx", 404, 409, 422]},
            # In a form all is text, so a caption of the wrong type is the caption "null": 202 is right.
            "negative_data_rejection": {"expected-statuses": [*REFUSED, 202]},
        }
    }
)
schema = schemathesis.openapi.from_dict(
    SchemaGenerator().get_schema(request=None, public=True), config=config
)


@pytest.fixture
def raw(platform: Platform, settings: Any) -> str:
    settings.API_TOKENS_BURST = 1_000_000
    return make_key(platform, *ALL_BUT_EVIDENCE)[1]


@schema.parametrize()
@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
def test_holds_what_the_document_says(
    case: schemathesis.Case, live_server: LiveServer, raw: str, cases: HashBank
) -> None:
    """Over real HTTP: the test client of the WSGI way encodes an empty part so that nobody can read it."""
    case.call_and_validate(
        base_url=live_server.url, headers={"Authorization": f"Bearer {raw}"}
    )


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in schema.raw_schema["paths"].items()
        for method, operation in methods.items()
    ]


class TestDocument:
    def test_is_valid_and_complete(self) -> None:
        call_command(
            "spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO()
        )

    def test_closes_what_the_serializers_close(self) -> None:
        shapes = schema.raw_schema["components"]["schemas"]
        closed = {
            name for name, shape in shapes.items() if "additionalProperties" in shape
        }

        assert closed == {
            "BankInRequest",
            "ContentInRequest",
            "FingerprintsInRequest",
            "HashesInRequest",
            "ImportInRequest",
            "MediaInRequest",
            "OpinionInRequest",
            "PatchedBankChangeInRequest",
            "PatchedPauseInRequest",
        }
        asked = shapes["HashesInRequest"]["properties"]["hashes"]
        assert (asked["minItems"], asked["maxItems"]) == (1, 100)
        shapes_of_one = asked["items"]["oneOf"]
        assert all(one["additionalProperties"] is False for one in shapes_of_one)

    def test_is_of_openapi_3_1(self) -> None:
        assert schema.raw_schema["openapi"].startswith("3.1.")

    def test_shows_an_example_of_everything_that_is_json(self) -> None:
        for name, operation in operations():
            said = [
                answer
                for status, answer in operation["responses"].items()
                if status.startswith("2") and answer.get("content")
            ]
            for part in [operation.get("requestBody"), *said]:
                for kind, shown in (part or {}).get("content", {}).items():
                    if kind == "application/json":
                        assert shown.get("examples"), name

    def test_names_the_refusals_of_every_route(self) -> None:
        for name, operation in operations():
            statuses = set(operation["responses"])
            assert {"401", "403", "429", "503"} <= statuses, name
            for status, answer in operation["responses"].items():
                if status[0] in "45":
                    assert list(answer["content"]) == ["application/problem+json"]
            if "requestBody" in operation:
                assert {"400", "413", "415"} <= statuses, name
            header = [one["name"] for one in operation.get("parameters", [])]
            is_deed = name.startswith("post") and operation["operationId"] != "match"
            assert ("Idempotency-Key" in header) == is_deed, name

    def test_lets_a_platform_write_only_these_fields(self) -> None:
        fields = schema.raw_schema["components"]["schemas"]["ContentInRequest"]

        assert set(fields["properties"]) == {
            "external_id",
            "account_id",
            "media",
            "caption",
            "language",
            "posted_at",
        }

    @pytest.mark.parametrize("path", [SCHEMA, DOCS])
    def test_is_behind_a_key_in_production(
        self, platform: Platform, settings: Any, path: str
    ) -> None:
        settings.EMBEDDED = False
        caller = Caller(make_key(platform)[1])

        assert problem_of(Client().get(path))[0] == 401
        assert caller.get(path).status_code == 200

    @pytest.mark.parametrize("path", [SCHEMA, DOCS])
    def test_is_open_where_one_tries_and_develops(self, path: str) -> None:
        assert Client().get(path).status_code == 200

    def test_is_shown_without_inline_code_and_only_fetches_here(self) -> None:
        page = Client().get(DOCS)

        policy = page["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "connect-src 'self'" in policy
        assert "unsafe" not in policy
        assert b"<style" not in page.content
        assert page.content.count(b"<script") == page.content.count(b"<script src=")


class TestAnyOtherAddress:
    @pytest.mark.parametrize(
        "path", ["/api/", "/api/v1/", "/api/v2/content/", "/api/x"]
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_is_a_problem_too(self, caller: Caller, path: str, method: str) -> None:
        assert problem_of(caller.ask(method, path)) == (404, "not_found")
