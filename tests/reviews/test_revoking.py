"""One source undone: what is left is a world in which it never was."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from moderation.models import (
    AuditEntry,
    BankedHash,
    Content,
    Flag,
    HashBank,
    Match,
    Notice,
    User,
)
from moderation.services import (
    NothingToRevoke,
    NotTwoPeople,
    find_source,
    match,
    query_of,
)
from moderation.storage import open_value
from reviews.models import Policy, Reversal, Revocation, Sample
from reviews.services import (
    ReasonTooWeak,
    dry_run,
    revoke_source,
)
from tests.appeals.letters import read
from tests.factories import (
    NOW,
    BankedHashFactory,
    DecisionFactory,
    FlagFactory,
    HashBankFactory,
    MatchFactory,
    UserFactory,
)
from tests.moderation.sendings import bank
from tests.reviews.automatic import seniors
from tests.reviews.worlds import S, World, begun, carried_out

pytestmark = pytest.mark.django_db


_NEVER: dict[str, Any] = {}


@pytest.fixture
def never(pictures: Path, rule: Policy, settings) -> dict[str, Any]:
    """What is left where S never was: built once, and rolled back."""
    if not _NEVER:
        settings.AUTOMATIC_SAMPLE_PERCENT = 100
        with transaction.atomic():
            world = World(pictures, has_s=False, policy=rule)
            world.build()
            _NEVER.update(world.left())
            transaction.set_rollback(True)
    return _NEVER


@pytest.fixture
def world(pictures: Path, rule: Policy, never, settings) -> World:
    settings.AUTOMATIC_SAMPLE_PERCENT = 100
    world = World(pictures, has_s=True, policy=rule)
    world.build()
    assert world.left() != never
    return world


class TestRevokeSource:
    def test_leaves_a_world_in_which_it_never_was(self, world, never) -> None:
        seen = world.left()
        assert seen["posts"]["caught"] == "REMOVED"
        assert seen["posts"]["alone-by-machine"] == "REMOVED"
        assert seen["accounts"]["account-of-caught"] == "DISABLED"
        assert "open-s" in seen["questions"]

        carried_out(begun())
        world.work()

        assert world.left() == never
        told = Notice.objects.filter(kind=Notice.Kind.DECISION_REVERSED)
        assert set(told.values_list("account__external_id", flat=True)) == {
            "account-of-caught",
            "account-of-found-by-the-copy",
            "account-of-alone-by-machine",
        }
        assert all("mistake of ours" in read(notice)[1] for notice in told)

    def test_ends_the_same_when_it_is_killed_after_any_batch(
        self, world, never
    ) -> None:
        """Each try is a process of its own: it does one batch and dies before it notes anything more."""
        tries = 0
        while not Revocation.objects.filter(done_at__isnull=False).exists():
            tries += 1
            next(revoke_source(begun(), batch=1, now=NOW))
        world.work()

        assert world.left() == never
        assert tries > 10
        assert Revocation.objects.count() == 1

    def test_ends_the_same_when_it_dies_within_a_batch(
        self, world, never, monkeypatch
    ) -> None:
        real, deaths = Revocation.move, iter(range(100))

        def dies(self: Revocation, cursor: int) -> None:
            if next(deaths) % 2 == 0:
                raise SystemExit
            real(self, cursor)

        monkeypatch.setattr(Revocation, "move", dies)
        while not Revocation.objects.filter(done_at__isnull=False).exists():
            try:
                carried_out(begun(), batch=4)
            except SystemExit:
                continue
        world.work()

        assert world.left() == never

    def test_counts_first_what_it_then_does(self, world) -> None:
        before = world.left(), AuditEntry.objects.count(), Notice.objects.count()

        counts = dry_run(find_source(ref=S), NOW)

        after = world.left(), AuditEntry.objects.count(), Notice.objects.count()
        assert after == before
        revocation = carried_out(begun(), batch=2)
        assert {name: revocation.counts.get(name, 0) for name in counts} == counts
        assert counts["hashes"] == 2
        assert counts["decisions"] == 3
        assert counts["flags_closed"] >= 1
        assert counts["flags_weakened"] == 1
        assert counts["holds"] >= 2
        assert counts["notices"] == 3

    def test_stops_matching_with_its_first_batch(self, platform, pictures) -> None:
        row = bank((pictures / "chelsea.png").read_bytes(), S)
        query = query_of("pdq", open_value(row.value_sealed, "bank"))
        asked = {"platform": platform, "queries": [query], "now": NOW}
        assert match(**asked)[0].verdict == "hold"

        next(revoke_source(begun(), batch=1, now=NOW))

        assert match(**asked)[0].verdict == "allow"

    def test_is_not_brought_back_by_the_same_source(self, pictures) -> None:
        picture = (pictures / "chelsea.png").read_bytes()
        row = bank(picture, S)
        carried_out(begun())

        again = bank(picture, S)

        assert (again, again.standing) == (row, BankedHash.Standing.REVOKED)

    def test_has_one_parent_in_the_record(self) -> None:
        for _ in range(3):
            MatchFactory(banked_hash__source_ref=S)
        revocation = carried_out(begun(), batch=2)

        entries = [
            entry.facts
            for entry in AuditEntry.objects.filter(text__contains='"source.')
        ]
        assert {entry["target"] for entry in entries} == {
            f"reviews.revocation:{revocation.pk}"
        }
        assert entries[0]["verb"] == "source.revocation_begun"
        assert entries[0]["details"]["approved_by"] == revocation.approved_by_id
        assert "source.revoked" in {entry["verb"] for entry in entries}

    def test_undoes_all_of_a_bank(self) -> None:
        partner = HashBankFactory(slug="partner", kind=HashBank.Kind.PARTNER)
        caught = MatchFactory(banked_hash__bank=partner)
        flag = FlagFactory(content=caught.content, source=Flag.Source.HASH_MATCH)
        other = MatchFactory(banked_hash__bank=HashBankFactory(slug="own"))
        stays = FlagFactory(content=other.content, source=Flag.Source.HASH_MATCH)

        carried_out(begun("", bank="partner", reason=Revocation.Reason.BAD_SOURCE))

        flag.refresh_from_db()
        stays.refresh_from_db()
        assert (flag.is_open, stays.is_open) == (False, True)
        assert list(BankedHash.objects.live()) == [other.banked_hash]


class TestWhoMay:
    def test_two_people_do_it(self) -> None:
        BankedHashFactory(source_ref=S)
        by, _ = seniors()

        with pytest.raises(NotTwoPeople):
            begun(by=by, approved_by=by)
        with pytest.raises(NotTwoPeople):
            begun(approved_by=UserFactory(role=User.Role.REVIEWER))
        with pytest.raises(IntegrityError), transaction.atomic():
            Revocation.objects.create(
                kind="SOURCE",
                ref=S,
                reason=Revocation.Reason.WRONG_PICTURE,
                decided_by=by,
                approved_by=by,
                begun_at=NOW,
            )
        assert not BankedHash.objects.exclude(standing="CLAIMED").exists()

    def test_people_s_own_are_revoked_for_one_reason_only(self) -> None:
        BankedHashFactory(source_ref=S)

        with pytest.raises(ReasonTooWeak):
            begun(reason=Revocation.Reason.BAD_SOURCE)

    def test_needs_something_to_revoke(self) -> None:
        with pytest.raises(NothingToRevoke):
            begun("nobody")
        with pytest.raises(NothingToRevoke):
            find_source(bank="nowhere")


class TestCommand:
    def run(self, *args: str, **options: Any) -> str:
        out = StringIO()
        call_command("revoke_source", *args, stdout=out, stderr=StringIO(), **options)
        return out.getvalue()

    def test_prints_the_same_counts_dry_and_done(self) -> None:
        found = MatchFactory(banked_hash__source_ref=S)
        FlagFactory(content=found.content, source=Flag.Source.HASH_MATCH)
        by, second = seniors()

        dry = self.run(S, dry_run=True)
        assert BankedHash.objects.get().standing == "CLAIMED"
        done = self.run(S, by=by.username, approved_by=second.username)

        assert dry.splitlines()[:-1] == done.splitlines()[:-1]
        assert BankedHash.objects.get().standing == "REVOKED"
        assert not Flag.objects.open().exists()
        revocation = Revocation.objects.get()
        assert (revocation.decided_by, revocation.approved_by) == (by, second)

    @pytest.mark.parametrize(
        ("args", "options", "said"),
        [
            ([], {}, "reference"),
            ([S], {"bank": "cases"}, "reference"),
            ([S], {"batch": 0}, "at least one"),
            ([S], {}, "It takes two people"),
            ([S], {"by": "nobody", "approved_by": "nobody"}, "Nobody who works here"),
            (["unknown"], {"dry_run": True}, "no fingerprint"),
        ],
    )
    def test_says_what_is_missing(self, args, options, said) -> None:
        BankedHashFactory(source_ref=S)

        with pytest.raises(CommandError, match=said):
            self.run(*args, **options)


def test_each_decision_falls_once() -> None:
    found = MatchFactory(banked_hash__source_ref=S)
    flag = FlagFactory(
        content=found.content, resolved_at=NOW, source=Flag.Source.HASH_MATCH
    )
    decision = DecisionFactory(flag=flag)

    carried_out(begun())

    assert Reversal.objects.get().decision == decision
    assert not Sample.objects.exists()
    assert Match.objects.get().pk == found.pk
    assert Content.objects.count() == 1
