"""T-12: who walks along the edge of what matches is seen, and nothing of what was asked is kept to see it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers

from moderation.hashing import sha256
from moderation.models import ApiKey, AuditEntry, HashBank, ProbeAlarm, ProbeMark
from moderation.services import probing
from tests.factories import NOW
from tests.moderation.api.conftest import MATCH, Caller, file, make_key, print_of
from tests.moderation.api.test_match import asked, bank

A, B = print_of("a"), print_of("b")


def variants(value: bytes, count: int) -> list[bytes]:
    """So many hashes one bit away from it."""
    whole = int.from_bytes(value, "big")
    return [(whole ^ 1 << bit).to_bytes(32, "big") for bit in range(count)]


def alarms() -> list[dict[str, Any]]:
    facts = [entry.facts for entry in AuditEntry.objects.all()]
    return [one for one in facts if one["verb"] == "probe.seen"]


@pytest.fixture(autouse=True)
def _banked(cases: HashBank) -> None:
    bank(A)


def test_the_twentieth_variant_raises_the_alarm_once(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caller.json(asked(*variants(A, 19)))
    before = alarms()
    caller.json(asked(*variants(A, 20)))
    caller.json(asked(*variants(A, 40)))

    (alarm,) = alarms()
    assert before == []
    assert ProbeAlarm.objects.get().key.platform.alias == "facebook"
    assert alarm["target"] == f"moderation.apikey:{ProbeAlarm.objects.get().pk}"
    said = [str(record.msg) for record in caplog.records]
    assert sum("'probe_alarm'" in line for line in said) == 1
    assert not any(value.hex() in str(said) for value in variants(A, 40))


def test_variants_one_by_one_raise_it_too(caller: Caller) -> None:
    for value in variants(A, 20):
        caller.json(asked(value))

    assert len(alarms()) == 1


def test_the_same_upload_again_and_again_does_not(caller: Caller) -> None:
    for _ in range(3):
        caller.json(asked(*[A] * 50))

    assert alarms() == []


def test_different_pictures_do_not(caller: Caller) -> None:
    bank(B)
    caller.json(asked(*variants(A, 15), *variants(B, 15)))

    assert alarms() == []


def test_keys_are_counted_apart(caller: Caller, stranger: Caller) -> None:
    caller.json(asked(*variants(A, 15)))
    stranger.json(asked(*variants(A, 30)[15:]))

    assert alarms() == []


def test_what_matched_nothing_leaves_no_mark(
    caller: Caller, django_assert_num_queries: Any
) -> None:
    caller.json(asked(B))
    key = ApiKey.objects.get(prefix=caller.raw.split("_")[1])
    with django_assert_num_queries(0):
        probing.watch_matches(key=key, matched=[], now=NOW)

    assert not ProbeMark.objects.exists()


def test_files_are_counted_like_hashes(
    caller: Caller, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PROBES", 3)
    bank(sha256(photo), signal_type="sha256")
    for _ in range(3):
        caller.form(MATCH, media=file(photo))
    same = alarms()

    assert (same, ProbeMark.objects.count()) == ([], 1)


def test_a_mark_says_nothing_of_what_was_asked(caller: Caller) -> None:
    caller.json(asked(A))

    kept = serializers.serialize("json", ProbeMark.objects.all())
    assert len(json.loads(kept)) == 1
    assert A.hex() not in kept
    assert A.hex()[:16] not in kept


class TestADay:
    def test_is_how_long_marks_count(self, platform: Any) -> None:
        key, _ = make_key(platform)
        for hour in range(40):
            when = NOW + timedelta(hours=2 * hour)
            matched = [(bytes([hour]), "f" * 32)]
            assert not probing.watch_matches(key=key, matched=matched, now=when)

    def test_passes_between_two_alarms(self, platform: Any) -> None:
        key, _ = make_key(platform)
        raised = []
        for hour in (0, 1, 25):
            names = [(f"{hour}/{n}".encode(), "f" * 32) for n in range(20)]
            when = NOW + timedelta(hours=hour)
            raised.append(probing.watch_matches(key=key, matched=names, now=when))

        assert raised == [True, False, True]
