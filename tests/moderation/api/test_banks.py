from typing import Any

import pytest

from moderation.models import AuditEntry, BankedHash, HashBank, Platform
from moderation.services import banks
from tests.factories import MatchFactory
from tests.moderation.api.conftest import (
    BANKS,
    FINGERPRINTS,
    Caller,
    entry,
    print_of,
    problem_of,
)

A = print_of("a")
NEAR = (int.from_bytes(A, "big") ^ 0xFFFFF).to_bytes(32, "big")  # 20 bits away
NEW = {"slug": "facebook-own", "name": "Own"}
OWN = f"{BANKS}facebook-own/"


def fill(caller: Caller, *values: bytes) -> None:
    entries = [entry(value) for value in values]
    body = {"bank": "facebook-own", "fingerprints": entries}
    assert caller.json(body, FINGERPRINTS).status_code == 201


@pytest.fixture
def opened(caller: Caller, cases: HashBank) -> HashBank:
    assert caller.json(NEW, BANKS).status_code == 201
    return HashBank.objects.get(slug="facebook-own")


class TestOpening:
    def test_gives_a_bank_of_ones_own(self, caller: Caller, platform: Platform) -> None:
        response = caller.json({**NEW, "threshold": 20}, BANKS)

        bank = HashBank.objects.get()
        said = response.json()
        assert response.status_code == 201
        assert said.pop("created_at")
        assert said == {
            **NEW,
            "threshold": 20,
            "review_threshold": 47,
            "is_enabled": True,
            "enabled_percent": 100,
        }
        assert (bank.owner, bank.kind) == (platform, HashBank.Kind.PARTNER)
        assert bank.automatic == HashBank.Automatic.HOLD
        assert AuditEntry.objects.get().facts["verb"] == "bank.opened"

    def test_of_the_same_name_is_a_conflict(
        self, caller: Caller, opened: HashBank
    ) -> None:
        assert problem_of(caller.json(NEW, BANKS)) == (409, "bank_taken")

    @pytest.mark.parametrize(
        ("changes", "answer"),
        [
            ({"slug": "cases"}, (400, "invalid")),
            ({"slug": "instagram-own"}, (422, "bank_misnamed")),
            ({"slug": "facebook"}, (400, "invalid")),
            ({"slug": "facebook-Own"}, (400, "invalid")),
            ({"slug": "facebook-own\n"}, (400, "invalid")),
            ({"slug": "facebook-" + "x" * 40}, (400, "invalid")),
            ({"slug": None}, (400, "invalid")),
            ({"name": ""}, (400, "invalid")),
            ({"name": "x" * 81}, (400, "invalid")),
            ({"name": "a\x00b"}, (400, "invalid")),
            ({"threshold": 32}, (400, "invalid")),
            ({"threshold": -1}, (400, "invalid")),
            ({"threshold": "31"}, (400, "invalid")),
            ({"threshold": True}, (400, "invalid")),
            ({"review_threshold": 64}, (400, "invalid")),
            ({"review_threshold": 30}, (422, "band_refused")),
            ({"enabled_percent": 101}, (400, "invalid")),
            ({"is_enabled": "yes"}, (400, "invalid")),
            ({"is_enabled": 1}, (400, "invalid")),
            ({"kind": "CONFIRMED"}, (400, "invalid")),
            ({"owner": 1}, (400, "invalid")),
            ({"automatic": "REMOVE"}, (400, "invalid")),
        ],
        ids=str,
    )
    def test_refuses_what_is_not_as_documented(
        self, caller: Caller, changes: dict[str, Any], answer: Any
    ) -> None:
        assert problem_of(caller.json({**NEW, **changes}, BANKS)) == answer
        assert not HashBank.objects.exists()


class TestReading:
    def test_shows_ones_own_and_no_others(
        self, caller: Caller, stranger: Caller, opened: HashBank
    ) -> None:
        theirs = {"slug": "instagram-own", "name": "Theirs"}
        stranger.json(theirs, BANKS)
        fill(caller, A)

        listed = caller.get(BANKS).json()["banks"]

        assert [bank["slug"] for bank in listed] == ["facebook-own"]
        assert caller.get(OWN).json() == {**listed[0], "hash_count": 1}

    def test_takes_few_queries(
        self, caller: Caller, platform: Platform, django_assert_max_num_queries: Any
    ) -> None:
        for n in range(20):
            caller.json({"slug": f"facebook-{n}", "name": "x"}, BANKS)

        with django_assert_max_num_queries(3):
            assert len(caller.get(BANKS).json()["banks"]) == 20


class TestChanging:
    @pytest.mark.parametrize(
        "change",
        [
            {"threshold": 19},
            {"is_enabled": False},
            {"enabled_percent": 0},
            {"threshold": 0, "review_threshold": 0},
        ],
        ids=str,
    )
    def test_holds_from_the_next_request_on(
        self, caller: Caller, opened: HashBank, change: dict[str, Any]
    ) -> None:
        fill(caller, A)
        before = caller.verdict(NEAR)

        response = caller.json(change, OWN, "PATCH")

        assert change.items() <= response.json().items()
        assert (before, caller.verdict(NEAR)) == ("hold", "allow")

    def test_leaves_what_is_not_named(self, caller: Caller, opened: HashBank) -> None:
        said = caller.json({"name": "Other"}, OWN, "PATCH").json()

        assert (said["name"], said["threshold"]) == ("Other", 31)
        facts = AuditEntry.objects.latest("pk").facts
        assert (facts["verb"], facts["details"]) == ("bank.changed", {"fields": "name"})

    @pytest.mark.parametrize(
        ("change", "answer"),
        [
            ({"threshold": 40}, (400, "invalid")),
            ({"review_threshold": 30}, (422, "band_refused")),
            ({"slug": "facebook-other"}, (400, "invalid")),
            ({"owner": 2}, (400, "invalid")),
            ({"automatic": "REMOVE"}, (400, "invalid")),
            ([], (400, "invalid")),
        ],
        ids=str,
    )
    def test_refuses_what_is_not_as_documented(
        self, caller: Caller, opened: HashBank, change: Any, answer: Any
    ) -> None:
        assert problem_of(caller.json(change, OWN, "PATCH")) == answer


class TestClosing:
    def test_withdraws_all_and_forgets_the_bank(
        self, caller: Caller, opened: HashBank
    ) -> None:
        fill(caller, A, print_of("b"))
        before = caller.verdict(A)

        response = caller.delete(OWN)

        assert response.status_code == 204
        assert (before, caller.verdict(A)) == ("hold", "allow")
        assert not BankedHash.objects.exists()
        assert caller.get(BANKS).json() == {"banks": []}
        assert problem_of(caller.get(OWN)) == (404, "not_found")
        assert caller.json(NEW, BANKS).status_code == 201

    def test_of_many_is_one_entry_in_the_record(
        self, caller: Caller, opened: HashBank
    ) -> None:
        fill(caller, *[print_of(n) for n in range(300)])
        before = AuditEntry.objects.count()

        caller.delete(OWN)

        entries = AuditEntry.objects.order_by("pk")[before:]
        verbs = [
            (one.facts["verb"], one.facts["details"].get("count")) for one in entries
        ]
        assert ("bank.batch_withdrawn", 300) in verbs
        assert len(verbs) == 3

    def test_goes_on_in_the_next_call_where_there_is_much(
        self, caller: Caller, opened: HashBank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(banks, "MAX_AT_ONCE", 2)
        monkeypatch.setattr(banks, "_CLOSED_AT_ONCE", 4)
        fill(caller, *[print_of(n) for n in range(5)])

        first = caller.delete(OWN)
        meanwhile = caller.verdict(*[print_of(n) for n in range(5)])
        second = caller.delete(OWN)

        assert (first.status_code, first.json()) == (202, {"left": 1})
        assert meanwhile == " ".join(["allow"] * 5)
        assert second.status_code == 204

    def test_keeps_the_name_for_what_was_matched(
        self, caller: Caller, opened: HashBank
    ) -> None:
        fill(caller, A)
        match = MatchFactory(bank=opened, banked_hash=BankedHash.objects.get())

        response = caller.delete(OWN)

        match.refresh_from_db()
        assert response.status_code == 204
        assert (match.bank.name, match.banked_hash) == ("Own", None)
        assert problem_of(caller.get(OWN)) == (404, "not_found")
        assert caller.json(NEW, BANKS).status_code == 201
