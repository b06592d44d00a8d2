import json
from typing import Any

import pytest
from django.utils import timezone

from moderation import services
from moderation.models import BankedHash, HashBank, Platform
from moderation.models.partners import Scope
from tests.factories import PlatformFactory
from tests.moderation.api.conftest import (
    MATCH,
    Caller,
    make_key,
    print_of,
    problem_of,
)

PUBLIC_KEYS = {"verdict", "match_id", "degraded"}
EVIDENCE_KEYS = {
    "bank",
    "signal_type",
    "distance",
    "threshold",
    "standing",
    "fingerprint",
    "reference",
}
BANKED = print_of("banked")
FAR = bytes(255 - value for value in BANKED)


def asked(*values: bytes) -> dict[str, Any]:
    return {
        "hashes": [{"signal_type": "pdq", "value": value.hex()} for value in values]
    }


def bank(
    value: bytes,
    standing: str = "CLAIMED",
    ref: str = "r" * 32,
    signal_type: str = "pdq",
) -> BankedHash:
    return services.bank_hash(
        bank="cases",
        signal_type=signal_type,
        value=value,
        quality=90,
        source_ref=ref,
        standing=BankedHash.Standing(standing),
        actor="test",
        now=timezone.now(),
    )


def near(value: bytes, bits: int) -> bytes:
    return (int.from_bytes(value, "big") ^ ((1 << bits) - 1)).to_bytes(32, "big")


class TestHashes:
    def test_are_answered_in_order_and_with_nothing_but_what_to_do(
        self, caller: Caller, cases: HashBank
    ) -> None:
        bank(BANKED)

        response = caller.json(asked(FAR, BANKED, near(BANKED, 31), near(BANKED, 32)))

        assert response.status_code == 200
        assert set(response.json()) == {"answers"}
        answers = response.json()["answers"]
        assert [one["verdict"] for one in answers] == ["allow", "hold", "hold", "allow"]
        assert [set(one) for one in answers] == [PUBLIC_KEYS] * 4
        assert [one["degraded"] for one in answers] == [False] * 4
        assert len({one["match_id"] for one in answers}) == 4

    def test_say_the_same_of_a_match_as_of_none_but_the_verdict(
        self, caller: Caller, cases: HashBank
    ) -> None:
        bank(BANKED)

        hold, allow = (caller.json(asked(value)) for value in (BANKED, FAR))

        assert len(hold.content) == len(allow.content) - 1  # "hold", "allow"
        assert {*hold.headers} == {*allow.headers}

    def test_get_another_id_each_time(self, caller: Caller, cases: HashBank) -> None:
        ids = {
            caller.json(asked(BANKED)).json()["answers"][0]["match_id"]
            for _ in range(3)
        }

        assert len(ids) == 3

    @pytest.mark.parametrize(
        ("standing", "bits", "verdict"),
        [
            ("CLAIMED", 0, "hold"),
            ("CONFIRMED", 10, "block"),
            ("CONFIRMED", 11, "hold"),
        ],
    )
    def test_are_blocked_only_near_what_a_reviewer_confirmed(
        self, caller: Caller, cases: HashBank, standing: str, bits: int, verdict: str
    ) -> None:
        bank(BANKED, standing)

        answer = caller.json(asked(near(BANKED, bits))).json()["answers"][0]

        assert answer["verdict"] == verdict

    def test_no_longer_match_what_was_withdrawn(
        self, caller: Caller, cases: HashBank
    ) -> None:
        bank(BANKED)
        before = caller.json(asked(BANKED)).json()["answers"][0]["verdict"]
        services.withdraw_source(
            source_refs=["r" * 32], actor="test", now=timezone.now()
        )

        after = caller.json(asked(BANKED)).json()["answers"][0]["verdict"]

        assert (before, after) == ("hold", "allow")

    def test_come_with_evidence_for_the_operators_own_services(
        self, platform: Platform, cases: HashBank
    ) -> None:
        row = bank(BANKED)
        _, raw = make_key(platform, Scope.MATCH_HASH, Scope.MATCH_EVIDENCE)

        found, none = Caller(raw).json(asked(near(BANKED, 3), FAR)).json()["answers"]

        assert set(found) == set(none) == {*PUBLIC_KEYS, "evidence"}
        assert none["evidence"] == []
        (evidence,) = found["evidence"]
        assert set(evidence) == EVIDENCE_KEYS
        assert (evidence["bank"], evidence["distance"]) == ("cases", 3)
        assert (evidence["standing"], evidence["threshold"]) == ("claimed", 31)
        assert evidence["fingerprint"] == row.public_id
        assert evidence["reference"] != row.source_ref

    def test_name_a_source_to_each_receiver_in_another_way(
        self, platform: Platform, cases: HashBank
    ) -> None:
        """T-17: two operators' services cannot tell that they hold the same."""
        bank(BANKED)
        bank(near(BANKED, 40))
        references = []
        for owner in (platform, PlatformFactory(alias="instagram")):
            raw = make_key(owner, Scope.MATCH_HASH, Scope.MATCH_EVIDENCE)[1]
            answers = Caller(raw).json(asked(BANKED, near(BANKED, 40))).json()
            references.append(
                {one["evidence"][0]["reference"] for one in answers["answers"]}
            )

        assert [len(each) for each in references] == [1, 1]
        assert references[0].isdisjoint(references[1])

    @pytest.mark.parametrize(("kind", "size"), [("sha256", 32), ("md5", 16)])
    def test_of_files_match_when_they_are_equal(
        self, caller: Caller, cases: HashBank, kind: str, size: int
    ) -> None:
        value, other = BANKED[:size], near(BANKED, 1)[-size:]
        bank(value, signal_type=kind)

        answers = caller.json(
            asked_raw(
                {"signal_type": kind, "value": value.hex()},
                {"signal_type": kind, "value": other.hex()},
                {"signal_type": "sha256", "value": BANKED[::-1].hex()},
            )
        ).json()["answers"]

        assert [one["verdict"] for one in answers] == ["hold", "allow", "allow"]

    def test_of_a_video_match_when_most_of_its_frames_do(
        self, caller: Caller, cases: HashBank
    ) -> None:
        frames = [print_of(n) for n in range(10)]
        others = [print_of(n) for n in range(100, 110)]
        bank(b"".join(frames), signal_type="vpdq")

        answers = caller.json(
            asked_raw(
                video([near(frame, 20) for frame in frames]),
                video(frames[:4]),
                video(frames[:2] + others),
                video(others),
            )
        ).json()["answers"]

        assert [one["verdict"] for one in answers] == ["hold", "hold", "allow", "allow"]

    def test_may_be_a_hundred_and_no_more(
        self, caller: Caller, cases: HashBank
    ) -> None:
        assert len(caller.json(asked(*[FAR] * 100)).json()["answers"]) == 100
        assert problem_of(caller.json(asked(*[FAR] * 101))) == (400, "invalid")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            [],
            None,
            "hashes",
            0,
            {"hashes": []},
            {"hashes": {}},
            {"hashes": None},
            {"hashes": "ab" * 32},
            {"hashes": ["ab" * 32]},
            {"hashes": [None]},
            {"hashes": [{}]},
            {"hashes": [{"signal_type": "pdq"}]},
            {"hashes": [{"value": "ab" * 32}]},
            {"hashes": [{"signal_type": "md5", "value": "ab" * 32}]},
            {"hashes": [{"signal_type": ["pdq"], "value": "ab" * 32}]},
            {"hashes": [{"signal_type": "pdq", "value": "ab" * 31}]},
            {"hashes": [{"signal_type": "pdq", "value": "ab" * 33}]},
            {"hashes": [{"signal_type": "pdq", "value": "AB" * 32}]},
            {"hashes": [{"signal_type": "pdq", "value": "zz" * 32}]},
            {"hashes": [{"signal_type": "pdq", "value": " " + "ab" * 32}]},
            {"hashes": [{"signal_type": "pdq", "value": "ab" * 32 + "\n"}]},
            {"hashes": [{"signal_type": "pdq", "value": "\u0661" * 64}]},
            {"hashes": [{"signal_type": "pdq", "value": "\ud800" * 64}]},
            {"hashes": [{"signal_type": "pdq", "value": "\x00" * 64}]},
            {"hashes": [{"signal_type": "\ud800", "value": "ab" * 32}]},
            {"hashes": [{"signal_type": "pdq", "value": 10**63}]},
            {"hashes": [{"signal_type": "pdq", "value": 1.5}]},
            {"hashes": [{"signal_type": "pdq", "value": True}]},
            {"hashes": [{"signal_type": "pdq", "value": ["ab" * 32]}]},
            {"hashes": [{"signal_type": "pdq", "value": "ab" * 32, "bank": "x"}]},
            {"hashes": [{"signal_type": "phash", "value": "ab" * 8}]},
            {"hashes": [{"signal_type": "md5", "value": "ab" * 15}]},
            {"hashes": [{"signal_type": "sha256", "frames": ["ab" * 32]}]},
            {"hashes": [{"signal_type": "pdq", "value": "ab" * 32, "quality": 90}]},
            {"hashes": [{"signal_type": "vpdq", "value": "ab" * 32}]},
            {"hashes": [{"signal_type": "vpdq", "frames": []}]},
            {"hashes": [{"signal_type": "vpdq", "frames": "ab" * 32}]},
            {"hashes": [{"signal_type": "vpdq", "frames": ["ab" * 31]}]},
            {"hashes": [{"signal_type": "vpdq", "frames": ["ab" * 32] * 601}]},
            {"hashes": [{"signal_type": "vpdq", "frames": [None]}]},
            {**asked(FAR), "platform": "instagram"},
            {**asked(FAR), "\ud800": "x"},
        ],
        ids=lambda body: str(body)[:60].encode("ascii", "replace").decode(),
    )
    def test_of_another_shape_are_refused(self, caller: Caller, body: Any) -> None:
        assert problem_of(caller.json(body)) == (400, "invalid")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"\xff\xfe",
            b'{"hashes": NaN}',
            b'{"hashes": Infinity}',
            b"[" * 60_000,
            b'{"a":' * 10_000,
            json.dumps(asked(FAR)).encode()[:-1]
            + b", "
            + json.dumps(asked(FAR)).encode()[1:],
            b"1" * 5000,
        ],
        ids=lambda body: repr(body)[:24],
    )
    def test_that_are_not_json_are_refused(self, caller: Caller, body: bytes) -> None:
        assert problem_of(caller.json(body))[0] == 400

    def test_that_are_too_many_bytes_are_refused(self, caller: Caller) -> None:
        assert problem_of(caller.json(b" " * 70_000)) == (413, "too_large")

    def test_are_never_repeated_in_a_refusal(self, caller: Caller) -> None:
        value = "ab" * 31 + "xy"
        wrong = {"signal_type": value, "value": value, value: value}

        for body in (asked_raw(wrong), asked_raw({**wrong, "signal_type": "pdq"})):
            assert value.encode() not in caller.json(body).content

    @pytest.mark.parametrize("type_", ["text/json", "application/xml", "text/plain"])
    def test_of_another_content_type_are_refused(
        self, caller: Caller, type_: str
    ) -> None:
        body = json.dumps(asked(FAR))

        response = caller.ask("POST", MATCH, data=body, content_type=type_)

        assert problem_of(response) == (415, "unsupported_media_type")


def asked_raw(*hashes: dict[str, Any]) -> dict[str, Any]:
    return {"hashes": list(hashes)}


def video(frames: list[bytes]) -> dict[str, Any]:
    return {"signal_type": "vpdq", "frames": [frame.hex() for frame in frames]}
