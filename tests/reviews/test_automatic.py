"""What a machine may remove alone, how people look at it afterwards, and what stops it (T-21)."""

import hashlib
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from moderation.models import (
    AuditEntry,
    BankedHash,
    Enforcement,
    HashBank,
    HashConfirmation,
    HashException,
    Notice,
)
from moderation.services import (
    NeverAutomatic,
    NotTwoPeople,
    allow_removal,
    copies_removed,
    stop_removal,
)
from reviews import tasks
from reviews.models import AppealGrant, Decision, Policy
from reviews.pipeline import decide_automatically
from reviews.services import load_policies
from tests.appeals.letters import read
from tests.factories import (
    NOW,
    BankedHashFactory,
    ContentFactory,
    DecisionFactory,
    FlagFactory,
    HashBankFactory,
    MatchFactory,
    PolicyFactory,
    UserFactory,
)
from tests.reviews.automatic import confirmed, found, removing, seniors
from tests.reviews.factories import held_by

pytestmark = pytest.mark.django_db


class TestDecideAutomatically:
    def test_removes_a_near_copy_of_what_a_person_confirmed(self, rule) -> None:
        flag, other = found(confirmed(rule)), FlagFactory()

        assert decide_automatically(NOW) == 1

        flag.refresh_from_db()
        other.refresh_from_db()
        assert (flag.is_open, other.is_open) == (False, True)
        decision = flag.decision
        assert (decision.is_automatic, decision.reviewer) == (True, None)
        assert decision.policy == rule
        removal = Enforcement.objects.get(action="REMOVE")
        assert (removal.content, removal.cause_ref) == (
            flag.content,
            decision.public_id,
        )
        assert removal.work_state == "WAITING"

    def test_does_it_once(self, rule) -> None:
        found(confirmed(rule))

        assert [decide_automatically(NOW), decide_automatically(NOW)] == [1, 0]
        tasks.decide_automatically()

        assert Decision.objects.filter(is_automatic=True).count() == 1

    def test_counts_for_the_person_whose_picture_it_is(self, rule) -> None:
        banked = confirmed(rule)
        flag = found(banked)
        decide_automatically(NOW)
        assert copies_removed(source_refs=[banked.source_ref]) == 0

        flag.content.enforcements.update(
            work_state="DONE", done_at=NOW, started_at=NOW, attempt_count=1
        )
        flag.content.see("REMOVED")

        assert copies_removed(source_refs=[banked.source_ref]) == 1

    def test_never_closes_an_account(self, rule) -> None:
        assert rule.closes_account
        found(confirmed(rule))

        decide_automatically(NOW)

        assert not Enforcement.objects.filter(action="DISABLE_ACCOUNT").exists()

    def test_vouches_for_nothing_and_banks_nothing(self, rule) -> None:
        flag = found(confirmed(rule))
        claimed = MatchFactory(content=flag.content, distance=3).banked_hash

        decide_automatically(NOW)

        claimed.refresh_from_db()
        assert claimed.standing == "CLAIMED"
        ref = Decision.objects.get(flag=flag).public_id
        assert not HashConfirmation.objects.filter(cause_ref=ref).exists()
        assert BankedHash.objects.count() == 2

    def test_says_that_a_machine_decided_and_how_to_disagree(self, rule) -> None:
        found(confirmed(rule))

        decide_automatically(NOW)

        _, body = read(Notice.objects.get(kind="STATEMENT_OF_REASONS"))
        assert "found by automatic means, and decided by automatic means." in body
        assert "A person decides." in body
        assert "This does not count against the account." in body
        raw = re.search(r"/again/([\w-]{43})/", body)
        assert raw
        grant = AppealGrant.objects.get()
        assert grant.token_sha256 == hashlib.sha256(raw[1].encode()).hexdigest()
        assert not re.search(r"fingerprint|distance|bank\b|match|person decided", body)

    @pytest.mark.parametrize(
        ("match", "hash"),
        [
            ({"distance": 11}, {}),
            ({"only_review": True}, {}),
            ({"signal_type": "phash", "threshold": 8, "only_review": True}, {}),
            ({"signal_type": "vpdq", "distance": 0}, {}),
            ({}, {"standing": "CLAIMED"}),
            ({}, {"standing": "REVOKED"}),
            ({}, {"parked_why": "WIDELY_SEEN"}),
            ({}, {"demoted_at": NOW}),
            ({}, {"disabled_until": NOW + timedelta(hours=1)}),
        ],
    )
    def test_leaves_to_people_what_is_not_sure(self, rule, match, hash) -> None:
        banked = confirmed(rule)
        flag = found(banked, **match)
        BankedHash.objects.filter(pk=banked.pk).update(**hash)

        assert decide_automatically(NOW) == 0
        flag.refresh_from_db()
        assert flag.is_open

    @pytest.mark.parametrize("signal", ["sha256", "md5"])
    def test_removes_the_same_file(self, rule, signal) -> None:
        found(confirmed(rule), signal_type=signal, distance=0, threshold=0)

        assert decide_automatically(NOW) == 1

    def test_only_holds_where_the_bank_says_so(self, rule) -> None:
        found(confirmed(rule, HashBankFactory(slug="holds")))

        assert decide_automatically(NOW) == 0

    def test_needs_a_persons_decision_that_stands(self, rule) -> None:
        banked = confirmed(rule)
        found(banked)
        Decision.objects.update(overturned_at=NOW)
        imported = BankedHashFactory(bank=banked.bank, standing="CONFIRMED")
        found(imported)

        assert decide_automatically(NOW) == 0

    def test_needs_a_rule_that_a_machine_may_cite(self) -> None:
        found(confirmed(PolicyFactory(slug="ncii.threat")))

        assert decide_automatically(NOW) == 0

    def test_cites_the_rule_as_it_is_now(self, rule) -> None:
        banked = confirmed(rule)
        Policy.objects.filter(pk=rule.pk).update(is_current=False)
        now = PolicyFactory(slug=rule.slug, version=2, is_automatic=True)
        flag = found(banked)

        decide_automatically(NOW)

        assert Decision.objects.get(flag=flag).policy == now

    def test_leaves_alone_what_somebody_is_looking_at(self, rule, reviewer) -> None:
        flag = found(confirmed(rule))
        claim = held_by(reviewer)
        assert claim.flag == flag

        assert decide_automatically(NOW) == 0

    def test_waits_until_the_content_is_checked(self, rule) -> None:
        waiting = ContentFactory(work_state="WAITING", done_at=None)
        found(confirmed(rule), content=waiting)

        assert decide_automatically(NOW) == 0

    def test_leaves_to_people_what_once_caught_something_in_order(self, rule) -> None:
        banked = confirmed(rule)
        HashException.objects.create(
            banked_hash=banked,
            content=ContentFactory(),
            sha256_index="0" * 64,
            reason_ref="r",
            created_at=NOW,
        )
        found(banked)

        assert decide_automatically(NOW) == 0

    def test_is_in_the_record_without_a_person(self, rule) -> None:
        flag = found(confirmed(rule))

        decide_automatically(NOW)

        entry = AuditEntry.objects.get(text__contains="flag.decided_automatically")
        assert entry.facts["actor"] == "machine"
        assert entry.facts["details"]["flag"] == flag.pk

    def test_marks_only_rules_about_the_picture_itself(self) -> None:
        load_policies(NOW)

        slugs = Policy.objects.filter(is_automatic=True).values_list("slug", flat=True)
        assert set(slugs) == {
            "ncii.shared",
            "ncii.synthetic",
            "ncii.covert",
            "ncii.stolen",
            "ncii.commercial",
        }

    @pytest.mark.parametrize(
        "wrong",
        [
            {"reviewer": None},
            {"is_automatic": True},
            {"is_automatic": True, "reviewer": None, "disables_account": True},
            {
                "is_automatic": True,
                "reviewer": None,
                "disables_account": False,
                "removes": False,
            },
        ],
    )
    def test_the_database_refuses_a_decision_of_nobody(self, wrong) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            DecisionFactory(**wrong)


class TestTwoPeople:
    def test_let_a_bank_remove(self) -> None:
        by, second = seniors()
        bank = HashBankFactory()
        out = StringIO()

        call_command(
            "set_automatic",
            bank.slug,
            "remove",
            by=by.username,
            approved_by=second.username,
            stdout=out,
        )

        bank.refresh_from_db()
        assert bank.automatic == HashBank.Automatic.REMOVE
        assert (bank.automatic_by, bank.automatic_approved_by) == (by, second)
        entry = AuditEntry.objects.get(text__contains="bank.removal_allowed")
        assert entry.facts["details"] == {"approved_by": second.pk}

    def test_are_two(self) -> None:
        by, _ = seniors()
        bank = HashBankFactory()

        with pytest.raises(NotTwoPeople):
            allow_removal(bank=bank, by=by, approved_by=by, now=NOW)
        with pytest.raises(CommandError, match="second person"):
            call_command("set_automatic", bank.slug, "remove", by=by.username)
        with pytest.raises(IntegrityError), transaction.atomic():
            HashBank.objects.filter(pk=bank.pk).update(
                automatic="REMOVE",
                automatic_by=by,
                automatic_approved_by=by,
                automatic_since=NOW,
            )

    @pytest.mark.parametrize(
        "who", [{"role": "REVIEWER"}, {"role": "LEAD", "is_active": False}]
    )
    def test_may_both_answer_for_it(self, who) -> None:
        by, _ = seniors()

        with pytest.raises(NotTwoPeople):
            allow_removal(
                bank=HashBankFactory(), by=by, approved_by=UserFactory(**who), now=NOW
            )

    def test_never_for_pictures_that_nobody_may_ban(self) -> None:
        by, second = seniors()
        guard = HashBankFactory(slug="guard", kind=HashBank.Kind.GUARD)

        with pytest.raises(NeverAutomatic):
            allow_removal(bank=guard, by=by, approved_by=second, now=NOW)

    def test_are_not_needed_to_stop_it(self) -> None:
        bank = removing()
        by, _ = seniors()

        call_command("set_automatic", bank.slug, "hold", by=by.username)

        bank.refresh_from_db()
        assert bank.automatic == HashBank.Automatic.HOLD
        assert not stop_removal(bank=bank, actor=by, now=NOW)

    def test_refuses_names_that_nobody_has(self) -> None:
        with pytest.raises(CommandError, match="no bank"):
            call_command("set_automatic", "nothing", "hold", by="x")
        with pytest.raises(CommandError, match="Nobody"):
            call_command("set_automatic", HashBankFactory().slug, "hold", by="x")
