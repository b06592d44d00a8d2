import threading
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from moderation import tasks
from moderation.models import AuditEntry, Content, Evidence, Platform, PlatformAccount
from moderation.storage import open_file
from tests.factories import ContentFactory, FlagFactory, MatchFactory
from tests.moderation.api.conftest import (
    CONTENTS,
    Caller,
    content,
    file,
    problem_of,
    stored_files,
)

READ = f"{CONTENTS}post-1/"
LIMIT = 50 * 1024 * 1024


class TestSending:
    def test_keeps_the_content_and_says_where_to_read_on(
        self, caller: Caller, platform: Platform
    ) -> None:
        response = caller.form(
            **content(
                caption="Monday\n",
                language="pt-BR",
                posted_at="2026-11-20T10:00:00+05:00",
            )
        )

        row = Content.objects.get()
        assert response.status_code == 202
        assert response.json() == {
            "id": row.public_id,
            "external_id": "post-1",
            "state": "received",
            "links": {"self": READ},
        }
        assert (row.platform, row.account.external_id) == (platform, "ana")
        assert (row.caption, row.account.language) == ("Monday\n", "pt-BR")
        assert row.posted_at.isoformat() == "2026-11-20T05:00:00+00:00"
        assert open_file(row.evidence.sealed) == b"\xff\xd8\xff picture"
        assert caller.get(READ).status_code == 200

    def test_takes_the_time_of_receipt_if_none_is_given(self, caller: Caller) -> None:
        caller.form(**content())

        row = Content.objects.get()
        assert row.posted_at == row.received_at

    def test_again_gets_the_same_answer(self, caller: Caller) -> None:
        first, again = caller.form(**content()), caller.form(**content())

        assert (first.status_code, first.content) == (again.status_code, again.content)
        assert Content.objects.count() == Evidence.objects.count() == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"media": file(b"\xff\xd8\xff other")},
            {"account_id": "ben"},
            {"caption": "other"},
            {"language": "es"},
            {"posted_at": "2026-11-20T10:00:00Z"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_something_else_under_the_same_id_is_a_conflict(
        self, caller: Caller, changes: dict[str, Any]
    ) -> None:
        caller.form(**content())

        response = caller.form(**content(**changes))

        assert problem_of(response) == (409, "external_id_taken")
        assert Content.objects.count() == Evidence.objects.count() == 1

    def test_leaves_a_trace_in_the_audit_alone(self, caller: Caller) -> None:
        caller.form(**content(caption="between us"))

        entry = AuditEntry.objects.get(stream="content")
        assert entry.facts["verb"] == "content.received"
        assert "between us" not in entry.text
        assert "post-1" not in entry.text


class TestBadInput:
    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("external_id", {"external_id": None}),
            ("external_id", {"external_id": ""}),
            ("external_id", {"external_id": " post-1"}),
            ("external_id", {"external_id": "post-1\n"}),
            ("external_id", {"external_id": ".."}),
            ("external_id", {"external_id": "a/b"}),
            ("external_id", {"external_id": "é"}),
            ("external_id", {"external_id": "x" * 201}),
            ("external_id", {"external_id": file()}),
            ("account_id", {"account_id": None}),
            ("account_id", {"account_id": "a b"}),
            ("account_id", {"account_id": "a\x00b"}),
            ("media", {"media": None}),
            ("media", {"media": "text"}),
            ("media", {"media": file(b"")}),
            ("caption", {"caption": "x" * 10_001}),
            ("caption", {"caption": "a\x00b"}),
            ("language", {"language": ""}),
            ("language", {"language": "english!"}),
            ("language", {"language": "en\n"}),
            ("language", {"language": "abc-abcdefgh1"}),
            ("posted_at", {"posted_at": ""}),
            ("posted_at", {"posted_at": "yesterday"}),
            ("posted_at", {"posted_at": "2026-11-31T00:00:00Z"}),
            ("posted_at", {"posted_at": "0001-01-01T00:00:00+14:00"}),
            ("posted_at", {"posted_at": "9999-12-31T23:59:59-14:00"}),
            ("posted_at", {"posted_at": "1764072000"}),
            ("non_field_errors", {"platform": "instagram"}),
            ("non_field_errors", {"visibility": "REMOVED"}),
            ("non_field_errors", {"": "x"}),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_is_named_and_nothing_is_kept(
        self, caller: Caller, field: str, changes: dict[str, Any]
    ) -> None:
        response = caller.form(**content(**changes))

        assert problem_of(response) == (400, "invalid")
        assert set(response.json()["errors"]) == {field}
        assert not Content.objects.exists()
        assert not PlatformAccount.objects.exists()

    @pytest.mark.parametrize("field", ["external_id", "media"])
    def test_a_field_sent_twice_is_refused(self, caller: Caller, field: str) -> None:
        fields = content()
        response = caller.form(**{**fields, field: [fields[field], fields[field]]})

        assert problem_of(response) == (400, "parse_error")

    def test_too_many_fields_are_refused(self, caller: Caller) -> None:
        many = {f"field{number}": "x" for number in range(300)}

        assert problem_of(caller.form(**content(**many)))[0] == 400

    @pytest.mark.parametrize(
        ("type_", "body"),
        [
            ("application/json", b'{"external_id": "post-1"}'),
            ("application/x-www-form-urlencoded", b"external_id=post-1"),
            ("text/plain", b"post-1"),
            ("image/jpeg", b"\xff\xd8\xff"),
            ("", b"x"),
        ],
    )
    def test_another_content_type_is_refused(
        self, caller: Caller, type_: str, body: bytes
    ) -> None:
        response = caller.ask("POST", CONTENTS, data=body, content_type=type_)

        assert problem_of(response) == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "body", [b"", b"--x", b"--x\r\n\r\n--x--\r\n", b"no boundary at all"]
    )
    def test_a_broken_form_is_refused(self, caller: Caller, body: bytes) -> None:
        for type_ in ("multipart/form-data; boundary=x", "multipart/form-data"):
            response = caller.ask("POST", CONTENTS, data=body, content_type=type_)
            assert response.status_code == 400
            assert problem_of(response)[0] == 400

    def test_a_file_above_50_mib_is_refused(self, caller: Caller) -> None:
        response = caller.form(**content(media=file(bytes(LIMIT + 1))))

        assert problem_of(response) == (413, "too_large")

    def test_a_body_that_announces_more_is_refused_unread(self, caller: Caller) -> None:
        response = caller.ask(
            "POST",
            CONTENTS,
            data=b"--x",
            content_type="multipart/form-data; boundary=x",
            CONTENT_LENGTH=str(LIMIT * 2),
        )

        assert problem_of(response) == (413, "too_large")

    def test_a_body_of_unknown_length_is_refused(self, caller: Caller) -> None:
        response = caller.ask(
            "POST", CONTENTS, headers={"Transfer-Encoding": "chunked"}
        )

        assert problem_of(response) == (411, "length_required")

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
    def test_another_method_is_refused(self, caller: Caller, method: str) -> None:
        response = caller.ask(method, CONTENTS)

        assert problem_of(response) == (405, "method_not_allowed")
        assert response["Allow"] == "POST"

    def test_an_answer_in_another_format_is_not_given(self, caller: Caller) -> None:
        response = caller.ask("GET", READ, headers={"Accept": "text/html"})

        assert problem_of(response) == (406, "not_acceptable")


class TestReading:
    def test_says_state_and_visibility_and_nothing_of_what_was_found(
        self, caller: Caller, platform: Platform
    ) -> None:
        row = ContentFactory(platform=platform, external_id="post-1")
        ContentFactory(platform=platform, external_id="post-2", visibility="REMOVED")
        MatchFactory(content=row)
        FlagFactory(content=row)

        assert caller.get(READ).json() == {
            "id": row.public_id,
            "external_id": "post-1",
            "state": "checked",
            "refused_code": "",
            "visibility": "visible",
        }

    @pytest.mark.parametrize(
        ("fields", "state"),
        [
            ({"work_state": "WAITING", "done_at": None}, "received"),
            (
                {
                    "work_state": "RUNNING",
                    "done_at": None,
                    "started_at": timezone.now(),
                },
                "received",
            ),
            ({}, "checked"),
            ({"refused_code": "truncated"}, "refused"),
            ({"work_state": "DEAD", "done_at": None}, "failed"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_translates_the_state(
        self, caller: Caller, platform: Platform, fields: dict[str, Any], state: str
    ) -> None:
        ContentFactory(platform=platform, external_id="post-1", **fields)

        assert caller.get(READ).json()["state"] == state

    @pytest.mark.parametrize("visibility", Content.Visibility.values)
    def test_translates_the_visibility(
        self, caller: Caller, platform: Platform, visibility: str
    ) -> None:
        ContentFactory(platform=platform, external_id="post-1", visibility=visibility)

        assert caller.get(READ).json()["visibility"] == visibility.lower()

    @pytest.mark.parametrize(
        "id_", ["unknown", "post-1%00", "..%2fadmin", "%0A", "x" * 201, "a%2Fb", "é"]
    )
    def test_finds_nothing_under_another_id(
        self, caller: Caller, platform: Platform, id_: str
    ) -> None:
        ContentFactory(platform=platform, external_id="post-1")

        assert problem_of(caller.get(f"{CONTENTS}{id_}/")) == (404, "not_found")

    def test_costs_few_queries(
        self, caller: Caller, platform: Platform, django_assert_max_num_queries: Any
    ) -> None:
        ContentFactory(platform=platform, external_id="post-1")
        caller.get(READ)

        with django_assert_max_num_queries(3):
            caller.get(READ)


class TestMediaThatIsNoPicture:
    """It is accepted at once and refused by the worker, in its sandbox; the reason can be read."""

    @pytest.mark.parametrize(
        ("made", "code"),
        [
            (lambda photo: b"just some text, named .jpg", "not_an_image"),
            (lambda photo: photo[: len(photo) // 2], "truncated"),
            (lambda photo: b"\x00\x00\x00\x18ftypheic" + bytes(64), "truncated"),
            (lambda photo: bomb(photo), "too_many_pixels"),
        ],
        ids=["text", "truncated", "heic", "bomb"],
    )
    def test_is_refused_with_a_code(
        self, caller: Caller, photo: bytes, made: Callable[[bytes], bytes], code: str
    ) -> None:
        response = caller.form(**content(media=file(made(photo), "holiday.jpg")))
        tasks.check_content(Content.objects.get().pk)

        assert response.status_code == 202
        said = caller.get(READ).json()
        assert (said["state"], said["refused_code"]) == ("refused", code)


def bomb(photo: bytes) -> bytes:
    """The photo's PNG with a header that promises 60,000 x 60,000 pixels."""
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + photo[24:29]
    return photo[:12] + header + zlib.crc32(header).to_bytes(4, "big") + photo[33:]


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_the_same_content_is_kept_once_and_all_get_the_same_answer(
        self, caller: Caller
    ) -> None:
        responses = at_once(lambda number: caller.form(**content()))

        assert {response.status_code for response in responses} == {202}
        assert len({response.content for response in responses}) == 1
        assert Content.objects.count() == 1
        evidence = Evidence.objects.get()
        assert stored_files() == [evidence.name]

    def test_of_different_contents_one_gets_the_id(self, caller: Caller) -> None:
        def send(number: int) -> HttpResponse:
            return caller.form(**content(caption=f"caption {number}"))

        statuses = sorted(response.status_code for response in at_once(send))

        assert statuses == [202, *[409] * 7]
        assert stored_files() == [Evidence.objects.get().name]


def at_once(send: Callable[[int], HttpResponse]) -> list[HttpResponse]:
    gate = threading.Barrier(8)
    responses: list[HttpResponse] = []

    def run(number: int) -> None:
        gate.wait()
        try:
            responses.append(send(number))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return responses
