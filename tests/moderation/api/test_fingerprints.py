import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from moderation.models import AuditEntry, BankedHash, HashBank, Platform
from moderation.models.partners import Scope
from moderation.services import bank_hash
from tests.factories import BankedHashFactory, PlatformFactory
from tests.moderation.api.conftest import (
    FINGERPRINTS,
    Caller,
    entry,
    make_key,
    print_of,
    problem_of,
)

A, B = print_of("a"), print_of("b")


def body(*entries: dict[str, Any], bank: str = "facebook-own") -> dict[str, Any]:
    return {"bank": bank, "fingerprints": list(entries)}


def add(caller: Caller, *entries: dict[str, Any]) -> list[str]:
    response = caller.json(body(*entries), FINGERPRINTS)
    assert response.status_code == 201, response.content
    return [one["id"] for one in response.json()["fingerprints"]]


@pytest.fixture
def one(caller: Caller, own_bank: HashBank) -> str:
    """The address of a fingerprint in a bank of one's own."""
    BankedHashFactory()
    return f"{FINGERPRINTS}{add(caller, entry(A))[0]}/"


class TestAdding:
    def test_is_matched_by_the_next_request_on_any_platform(
        self, caller: Caller, stranger: Caller, own_bank: HashBank
    ) -> None:
        before = stranger.verdict(A, B)

        add(caller, entry(A, quality=90))

        assert (before, stranger.verdict(A, B)) == ("allow allow", "hold allow")

    def test_answers_with_an_id_for_each_in_order(
        self, caller: Caller, own_bank: HashBank
    ) -> None:
        ids = add(
            caller,
            entry(A),
            entry(B, "sha256"),
            entry(A[:16], "md5"),
            entry(B),
            entry(A),
        )

        rows = {row.public_id: row for row in BankedHash.objects.all()}
        kinds = [rows[id].signal_type for id in ids]
        assert kinds == ["pdq", "sha256", "md5", "pdq", "pdq"]
        assert ids[0] == ids[4]
        assert len(rows) == 4
        assert {row.bank for row in rows.values()} == {own_bank}

    def test_again_gives_the_same_id_and_adds_nothing(
        self, caller: Caller, own_bank: HashBank
    ) -> None:
        assert add(caller, entry(A)) == add(caller, entry(A))
        assert BankedHash.objects.count() == 1

    def test_takes_a_video_by_its_frames(
        self, caller: Caller, own_bank: HashBank
    ) -> None:
        frames = [print_of(n).hex() for n in range(5)]
        clip = {"signal_type": "vpdq", "frames": frames}
        add(caller, clip)

        answers = caller.json({"hashes": [clip]}).json()["answers"]

        assert [answer["verdict"] for answer in answers] == ["hold"]

    def test_only_claims(self, caller: Caller, own_bank: HashBank) -> None:
        add(caller, entry(A))

        assert BankedHash.objects.get().standing == BankedHash.Standing.CLAIMED

    def test_answers_with_no_value(self, caller: Caller, own_bank: HashBank) -> None:
        response = caller.json(body(entry(A)), FINGERPRINTS)

        assert A.hex().encode() not in response.content
        assert set(response.json()["fingerprints"][0]) == {"id", "parked"}

    def test_takes_a_thousand(self, caller: Caller, own_bank: HashBank) -> None:
        ids = add(caller, *[entry(print_of(n)) for n in range(1000)])

        assert len(set(ids)) == BankedHash.objects.count() == 1000
        assert AuditEntry.objects.count() < 10

    @pytest.mark.parametrize(
        ("count", "answer"), [(1001, (400, "invalid")), (12_000, (413, "too_large"))]
    )
    def test_takes_no_more_and_says_what_to_do(
        self, caller: Caller, own_bank: HashBank, count: int, answer: Any
    ) -> None:
        response = caller.json(body(*[entry(A)] * count), FINGERPRINTS)

        assert problem_of(response) == answer
        assert b"1,000" in response.content
        assert b"/import/" in response.content
        assert not BankedHash.objects.exists()

    @pytest.mark.parametrize(
        "wrong",
        [
            entry(bytes(32)),
            entry(b"\xff" * 32),
            entry(B, quality=49),
            entry(bytes(32), "sha256"),
            entry(bytes(16), "md5"),
            {"signal_type": "vpdq", "frames": [A.hex(), "00" * 32]},
        ],
        ids=["zeros", "ones", "quality", "sha256", "md5", "frame"],
    )
    def test_of_what_no_picture_has_is_refused_with_all_the_rest(
        self, caller: Caller, own_bank: HashBank, wrong: dict[str, Any]
    ) -> None:
        response = caller.json(body(entry(A), wrong, entry(B)), FINGERPRINTS)

        assert problem_of(response) == (422, "hash_refused")
        assert response.json()["detail"].startswith("Fingerprint 2: ")
        assert not BankedHash.objects.exists()

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            None,
            "text",
            {"signal_type": "pdq"},
            {"signal_type": "pdq", "value": A.hex()[:-2]},
            {"signal_type": "pdq", "value": A.hex().upper()},
            {"signal_type": "pdq", "value": A.hex() + "\n"},
            {"signal_type": "phash", "value": A.hex()},
            {"signal_type": "tlsh", "value": A.hex()},
            entry(A, quality=101),
            entry(A, quality=-1),
            entry(A, quality="90"),
            entry(A, quality=True),
            entry(A, quality=None),
            entry(A, quality=50.5),
            entry(A, standing="CONFIRMED"),
            entry(A, source_ref="r" * 32),
        ],
        ids=lambda wrong: json.dumps(wrong)[:40],
    )
    def test_of_another_shape_is_refused(
        self, caller: Caller, own_bank: HashBank, wrong: Any
    ) -> None:
        response = caller.json(body(entry(A), wrong), FINGERPRINTS)

        assert problem_of(response) == (400, "invalid")
        assert A.hex().encode() not in response.content
        assert not BankedHash.objects.exists()

    @pytest.mark.parametrize("slug", ["unknown", "cases", "instagram-theirs", ""])
    def test_reaches_no_bank_but_ones_own(
        self, caller: Caller, own_bank: HashBank, cases: HashBank, slug: str
    ) -> None:
        HashBank.objects.create(
            slug="instagram-theirs",
            name="Theirs",
            kind=HashBank.Kind.PARTNER,
            owner=PlatformFactory(alias="instagram"),
        )

        response = caller.json(body(entry(A), bank=slug), FINGERPRINTS)

        assert problem_of(response)[0] in (400, 404)
        assert not BankedHash.objects.exists()


class TestOne:
    def test_says_how_it_stands(
        self, caller: Caller, own_bank: HashBank, one: str
    ) -> None:
        said = caller.get(one).json()

        assert said.pop("added_at")
        assert said == {
            "id": one.split("/")[-2],
            "bank": own_bank.slug,
            "signal_type": "pdq",
            "quality": None,
            "standing": "claimed",
            "parked": "",
            "is_demoted": False,
            "disabled_until": None,
        }

    def test_withdrawn_is_not_matched_by_the_next_request(
        self, caller: Caller, one: str
    ) -> None:
        before = caller.verdict(A)

        response = caller.delete(one)

        assert (response.status_code, response.content) == (204, b"")
        assert (before, caller.verdict(A)) == ("hold", "allow")
        assert problem_of(caller.get(one)) == (404, "not_found")
        assert problem_of(caller.delete(one)) == (404, "not_found")

    def test_paused_is_not_matched_until_then(self, caller: Caller, one: str) -> None:
        tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
        pause = caller.json({"disabled_until": tomorrow}, one, "PATCH")
        paused = caller.verdict(A)
        caller.json({"disabled_until": None}, one, "PATCH")

        assert pause.json()["disabled_until"]
        assert (paused, caller.verdict(A)) == ("allow", "hold")

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"disabled_until": ""},
            {"disabled_until": "x"},
            {"standing": "CONFIRMED"},
        ],
    )
    def test_is_changed_in_no_other_way(
        self, caller: Caller, one: str, change: Any
    ) -> None:
        assert problem_of(caller.json(change, one, "PATCH")) == (400, "invalid")

    def test_of_the_house_cannot_be_touched(
        self, caller: Caller, cases: HashBank
    ) -> None:
        row = bank_hash(
            bank="cases", signal_type="pdq", value=A, quality=None,
            source_ref="r" * 32, actor="test", now=timezone.now(),
        )  # fmt: skip
        path = f"{FINGERPRINTS}{row.public_id}/"

        for response in (
            caller.get(path),
            caller.delete(path),
            caller.json({"disabled_until": None}, path, "PATCH"),
        ):
            assert problem_of(response) == (404, "not_found")
        assert caller.verdict(A) == "hold"


class TestOpinion:
    @pytest.fixture
    def others(self, db: None) -> list[Caller]:
        return [
            Caller(make_key(PlatformFactory(alias=f"p{n}"), Scope.BANK_OPINION)[1])
            for n in range(3)
        ]

    def test_of_two_platforms_that_it_is_wrong_demotes(
        self, caller: Caller, one: str, others: list[Caller]
    ) -> None:
        verdicts = []
        for other in others[:2]:
            other.json({"is_right": False}, f"{one}opinion/")
            other.json({"is_right": False}, f"{one}opinion/")
            verdicts.append(caller.verdict(A))

        assert verdicts == ["hold", "allow"]
        assert caller.get(one).json()["is_demoted"]
        verbs = [entry.facts["verb"] for entry in AuditEntry.objects.order_by("pk")]
        assert verbs.count("bank.called_wrong") == 4
        assert verbs.count("bank.demoted") == 1

    def test_counts_only_by_its_last_word(
        self, caller: Caller, one: str, others: list[Caller]
    ) -> None:
        for other in others[:2]:
            other.json({"is_right": False}, f"{one}opinion/")
        others[0].json({"is_right": True}, f"{one}opinion/")

        assert caller.verdict(A) == "hold"

    def test_of_as_many_that_it_is_right_keeps_it(
        self, caller: Caller, one: str, others: list[Caller]
    ) -> None:
        for other, is_right in zip(others, (True, False, False), strict=True):
            other.json({"is_right": is_right}, f"{one}opinion/")
        two_to_one = caller.verdict(A)
        caller.json({"is_right": True}, f"{one}opinion/")

        assert (two_to_one, caller.verdict(A)) == ("allow", "hold")

    def test_may_be_about_any_bank(
        self, caller: Caller, platform: Platform, cases: HashBank
    ) -> None:
        row = bank_hash(
            bank="cases", signal_type="pdq", value=A, quality=None,
            source_ref="r" * 32, actor="test", now=timezone.now(),
            standing=BankedHash.Standing.CONFIRMED,
        )  # fmt: skip
        path = f"{FINGERPRINTS}{row.public_id}/opinion/"
        other = PlatformFactory(alias="instagram")
        second = Caller(make_key(other, Scope.BANK_OPINION)[1])

        response = caller.json({"is_right": False}, path)
        second.json({"is_right": False}, path)

        assert response.json() == {"id": row.public_id, "is_right": False}
        assert caller.verdict(A) == "allow"

    @pytest.mark.parametrize(
        "said", [{}, {"is_right": None}, {"is_right": "no"}, {"is_right": 0}, []]
    )
    def test_is_a_plain_yes_or_no(self, caller: Caller, one: str, said: Any) -> None:
        assert problem_of(caller.json(said, f"{one}opinion/")) == (400, "invalid")

    def test_of_what_is_not_there_is_refused(self, caller: Caller, one: str) -> None:
        caller.delete(one)

        refused = caller.json({"is_right": True}, f"{one}opinion/")

        assert problem_of(refused) == (404, "not_found")
