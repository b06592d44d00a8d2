"""A bank from a file and to a file."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from moderation.models import AuditEntry, BankedHash, HashBank
from moderation.models.partners import Scope
from tests.factories import BankedHashFactory
from tests.moderation.api.conftest import (
    BANKS,
    FINGERPRINTS,
    Caller,
    entry,
    file,
    make_key,
    print_of,
    problem_of,
)

IMPORT = f"{BANKS}facebook-own/import/"
EXPORT = f"{BANKS}facebook-own/export/"
A, B = print_of("a"), print_of("b")
CSV = f"signal_type,value,quality\r\npdq,{A.hex()},90\r\nsha256,{B.hex()},\r\n"

pytestmark = pytest.mark.usefixtures("own_bank")


def send(caller: Caller, text: str | bytes, format: str = "csv", **more: Any) -> Any:
    data = text.encode() if isinstance(text, str) else text
    return caller.form(IMPORT, file=file(data), format=format, **more)


def exported(caller: Caller, format: str = "csv") -> str:
    response = caller.get(f"{EXPORT}?format={format}")
    assert response.status_code == 200
    return b"".join(response).decode()


class TestImport:
    def test_is_matched_by_the_next_request(self, caller: Caller) -> None:
        response = send(caller, CSV)

        assert response.json() == {"added_count": 2, "known_count": 0}
        assert caller.verdict(A, B) == "hold allow"
        assert {row.signal_type for row in BankedHash.objects.all()} == {
            "pdq",
            "sha256",
        }
        assert {row.standing for row in BankedHash.objects.all()} == {"CLAIMED"}

    def test_again_adds_nothing_and_neither_does_the_same_one_by_one(
        self, caller: Caller
    ) -> None:
        body = {"bank": "facebook-own", "fingerprints": [entry(A)]}
        caller.json(body, FINGERPRINTS)

        first, again = send(caller, CSV), send(caller, CSV)

        assert first.json() == {"added_count": 1, "known_count": 1}
        assert again.json() == {"added_count": 0, "known_count": 2}

    def test_of_thousands_is_done_in_one_call_and_one_entry_a_batch(
        self, caller: Caller
    ) -> None:
        lines = "\n".join(print_of(n).hex() for n in range(2500))

        response = send(caller, lines)

        assert response.json()["added_count"] == 2500
        assert AuditEntry.objects.count() < 20

    def test_with_wrong_lines_banks_nothing_and_names_them(
        self, caller: Caller
    ) -> None:
        lines = [A.hex(), "x" * 64, B.hex(), "00" * 32, B.hex().upper()]

        response = send(caller, "\n".join(lines))

        assert problem_of(response) == (422, "file_refused")
        detail = response.json()["detail"]
        assert [f"Line {n}:" in detail for n in range(1, 6)] == [
            False, True, False, True, True,
        ]  # fmt: skip
        assert B.hex() not in detail.lower()
        assert not BankedHash.objects.exists()

    def test_that_is_wrong_all_over_is_named_in_few_words(self, caller: Caller) -> None:
        response = send(caller, "no\n" * 10_000)

        assert problem_of(response) == (422, "file_refused")
        assert response.json()["detail"].count("Line ") == 10

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"format": "csv"},
            {"file": file(b"x")},
            {"file": file(b"x"), "format": "xml"},
            {"file": file(b""), "format": "csv"},
            {"file": "text", "format": "csv"},
            {"file": file(b"x"), "format": "csv", "bank": "cases"},
        ],
        ids=lambda fields: "-".join(fields),
    )
    def test_of_another_shape_is_refused(self, caller: Caller, fields: Any) -> None:
        assert problem_of(caller.form(IMPORT, **fields)) == (400, "invalid")

    def test_above_10_mib_is_refused(self, caller: Caller) -> None:
        large = SimpleUploadedFile("hashes", bytes(10 * 1024 * 1024 + 1))

        refused = caller.form(IMPORT, file=large, format="csv")

        assert problem_of(refused) == (413, "too_large")

    def test_reaches_no_bank_of_the_house(
        self, caller: Caller, cases: HashBank
    ) -> None:
        path = f"{BANKS}{cases.slug}/import/"

        refused = caller.form(path, file=file(CSV.encode()), format="csv")

        assert problem_of(refused) == (404, "not_found")


class TestExport:
    @pytest.mark.parametrize("format", ["csv", "jsonl", "threatexchange"])
    def test_is_what_an_import_takes(
        self, caller: Caller, own_bank: HashBank, format: str
    ) -> None:
        send(caller, CSV)
        BankedHashFactory()
        text = exported(caller, format)
        BankedHash.objects.filter(bank=own_bank).delete()

        response = send(caller, text, format)

        assert response.json()["added_count"] == 2
        assert A.hex() in text

    def test_is_csv_if_nothing_is_said(self, caller: Caller) -> None:
        send(caller, CSV)

        response = caller.get(EXPORT)

        assert response["Content-Type"] == "text/csv"
        text = b"".join(response).decode()
        assert sorted(text.splitlines()) == sorted(CSV.splitlines())

    def test_as_json_is_an_object_a_line(self, caller: Caller) -> None:
        send(caller, CSV)

        lines = [json.loads(line) for line in exported(caller, "jsonl").splitlines()]

        assert {"signal_type": "pdq", "value": A.hex(), "quality": 90} in lines

    def test_takes_few_queries_however_much_it_is(
        self, caller: Caller, django_assert_max_num_queries: Any
    ) -> None:
        send(caller, "\n".join(print_of(n).hex() for n in range(2100)))

        with django_assert_max_num_queries(6):
            assert exported(caller).count("\n") == 2101

    @pytest.mark.parametrize("query", ["format=xml", "format="])
    def test_of_another_format_is_refused(self, caller: Caller, query: str) -> None:
        assert problem_of(caller.get(f"{EXPORT}?{query}")) == (400, "invalid")

    def test_needs_the_scope_to_read(
        self, own_bank: HashBank, stranger: Caller
    ) -> None:
        assert own_bank.owner is not None
        writer = Caller(make_key(own_bank.owner, Scope.BANK_WRITE)[1])

        assert problem_of(writer.get(EXPORT))[0] == 403
        assert problem_of(stranger.get(EXPORT)) == (404, "not_found")
        assert problem_of(send(stranger, CSV)) == (404, "not_found")
