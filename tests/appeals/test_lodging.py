from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from appeals.models import Appeal
from appeals.services import AlreadyLodged, AppealTooLate, lodge, words_of
from moderation.models import AuditEntry, Enforcement, Evidence, Notice
from tests.appeals.factories import AppealFactory, GrantFactory
from tests.appeals.letters import read
from tests.factories import NOW, EnforcementFactory, UserFactory

pytestmark = pytest.mark.django_db


def lodged(grant=None, *, words="They asked me to post it.", language="en", now=NOW):
    return lodge(
        grant=grant or GrantFactory(),
        ground=Appeal.Ground.CONSENT,
        words=words,
        language=language,
        now=now,
    )


class TestLodge:
    def test_promises_an_answer_within_two_weeks(self):
        appeal = lodged()

        assert appeal.is_open
        assert appeal.reply_by == NOW + timedelta(days=14)

    def test_keeps_the_words_sealed(self):
        appeal = lodged(words="They asked me to post it.")

        appeal.refresh_from_db()
        assert b"asked me" not in bytes(appeal.words_sealed)
        assert words_of(appeal) == "They asked me to post it."

    def test_keeps_nothing_where_nothing_was_written(self):
        appeal = lodged(words="")

        assert appeal.words_sealed is None
        assert words_of(appeal) == ""

    def test_tells_the_account_that_the_appeal_arrived(self):
        appeal = lodged()

        notice = Notice.objects.get(kind=Notice.Kind.APPEAL_RECEIVED)
        assert notice.account == appeal.grant.decision.flag.content.account
        assert read(notice) == (
            "We have your appeal",
            f"We received it on {NOW:%-d %B %Y}. A different reviewer looks at it. "
            f"We answer by {NOW + timedelta(days=14):%-d %B %Y}. Until then the decision stays as it is.",
        )

    def test_is_audited_without_the_words(self):
        appeal = lodged(words="planted-words")

        entry = AuditEntry.objects.get(text__contains='"appeal.lodged"')
        assert entry.facts["target"] == f"appeals.appeal:{appeal.pk}"
        assert "planted-words" not in entry.text

    def test_copies_who_decided_and_who_approved(self):
        grant = GrantFactory()
        approver = UserFactory()
        EnforcementFactory(
            content=grant.decision.flag.content,
            cause_ref=grant.decision.public_id,
            action=Enforcement.Action.DISABLE_ACCOUNT,
            ordered_by=grant.decision.reviewer,
            needs_approval=True,
            approved_by=approver,
            approved_at=NOW,
        )
        EnforcementFactory(approved_by=UserFactory(), approved_at=NOW)

        appeal = lodged(grant)

        assert appeal.first_reviewer == grant.decision.reviewer
        assert appeal.first_approver == approver

    def test_keeps_the_picture_past_the_answer(self):
        grant = GrantFactory()
        evidence = Evidence.objects.create(
            content=grant.decision.flag.content,
            name="a.bin",
            wrapped_key=b"key",
            key_version=1,
            size=1,
            stored_at=NOW,
            expires_at=NOW + timedelta(days=1),
        )

        appeal = lodged(grant)

        evidence.refresh_from_db()
        assert evidence.expires_at == appeal.reply_by + timedelta(days=31)

    def test_is_refused_a_second_time_and_says_which_was_first(self):
        first = lodged()

        with pytest.raises(AlreadyLodged) as refusal:
            lodged(first.grant)

        assert refusal.value.appeal == first
        assert Appeal.objects.count() == 1

    def test_is_refused_when_the_time_has_ended(self):
        grant = GrantFactory(expires_at=NOW)

        with pytest.raises(AppealTooLate):
            lodged(grant)

        assert not Appeal.objects.exists()


class TestAppeal:
    def test_is_one_for_each_grant_in_the_database(self):
        appeal = AppealFactory()

        with pytest.raises(IntegrityError), transaction.atomic():
            AppealFactory(grant=appeal.grant)

    def test_cannot_be_decided_by_who_decided_first(self):
        appeal = AppealFactory()

        with pytest.raises(IntegrityError), transaction.atomic():
            appeal.decide(
                by=appeal.first_reviewer, outcome="UPHELD", reasoning="r", at=NOW
            )

    def test_cannot_be_decided_by_who_approved(self):
        appeal = AppealFactory(first_approver=UserFactory())

        with pytest.raises(IntegrityError), transaction.atomic():
            appeal.decide(
                by=appeal.first_approver, outcome="UPHELD", reasoning="r", at=NOW
            )

    @pytest.mark.parametrize("missing", ["outcome", "reasoning"])
    def test_cannot_be_decided_in_part(self, missing):
        answer = {"outcome": "UPHELD", "reasoning": "r", missing: ""}

        with pytest.raises(IntegrityError), transaction.atomic():
            AppealFactory().decide(by=UserFactory(), at=NOW, **answer)
