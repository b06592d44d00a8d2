"""The band on a case's page: once a day, at its own minute, only what a person decided to remove (T-13)."""

from datetime import timedelta

import pytest
import time_machine

from moderation.models import Content, Enforcement, Work
from tests.factories import NOW, ContentFactory, MatchFactory, UserFactory
from tests.victims.factories import open_case
from victims import tasks
from victims.models import Attempt, Case, DailySalt, Limit

NEXT_DAY = NOW.replace(hour=0) + timedelta(days=1)


@pytest.fixture
def case(db):
    case, _ = open_case()
    open_case(2)
    Case.objects.filter(pk=case.pk).update(band_minute=600)
    return case


def found(case, *, removed_by=None):
    content = ContentFactory()
    MatchFactory(content=content, source_ref=case.hashes.get().source_ref)
    if removed_by:
        content.visibility = Content.Visibility.REMOVED
        content.save()
        Enforcement.objects.create(
            platform=content.platform,
            account=content.account,
            content=content,
            action=Enforcement.Action.REMOVE,
            cause_ref="d" * 32,
            ordered_by=removed_by,
            ordered_at=NOW,
            next_attempt_at=NOW,
            work_state=Work.WorkState.DONE,
            done_at=NOW,
        )


def refresh_at(moment):
    with time_machine.travel(moment, tick=False):
        tasks.refresh_bands()


class TestRefreshBands:
    @pytest.mark.parametrize(
        ("copies", "band"),
        [(0, "NONE"), (1, "FEW"), (5, "FEW"), (6, "SOME"), (20, "SOME"), (21, "MANY")],
    )
    def test_shows_how_many_were_removed_in_bands(self, case, reviewer, copies, band):
        for _ in range(copies):
            found(case, removed_by=reviewer)

        refresh_at(NEXT_DAY + timedelta(minutes=600))

        case.refresh_from_db()
        assert case.band == band

    def test_waits_for_the_minute_of_the_case_on_another_day(self, case):
        found(case, removed_by=UserFactory())

        for moment in (NOW, NEXT_DAY, NEXT_DAY + timedelta(minutes=599)):
            refresh_at(moment)
            case.refresh_from_db()
            assert case.band == Case.Band.NONE

        refresh_at(NEXT_DAY + timedelta(minutes=600))
        case.refresh_from_db()
        assert case.band == Case.Band.FEW

    def test_changes_once_a_day_at_most(self, case):
        refresh_at(NEXT_DAY + timedelta(minutes=600))
        found(case, removed_by=UserFactory())

        refresh_at(NEXT_DAY + timedelta(minutes=1430))
        case.refresh_from_db()
        assert case.band == Case.Band.NONE

        refresh_at(NEXT_DAY + timedelta(days=1, minutes=601))
        case.refresh_from_db()
        assert case.band == Case.Band.FEW

    def test_counts_nothing_that_no_person_acted_on(self, case):
        found(case)

        refresh_at(NEXT_DAY + timedelta(minutes=600))

        case.refresh_from_db()
        assert case.band == Case.Band.NONE

    def test_leaves_stopped_cases_alone(self, case):
        case.withdraw(NOW)

        refresh_at(NEXT_DAY + timedelta(minutes=700))

        case.refresh_from_db()
        assert case.band_refreshed_at is None

    def test_forgets_expired_tries_and_the_salts_of_past_days(self, db):
        limit = Limit(2, timedelta(hours=1))
        Attempt.objects.admit("a" * 64, limit, NOW)
        Attempt.objects.admit("b" * 64, limit, NEXT_DAY)
        DailySalt.objects.create(day=NOW.date())
        DailySalt.objects.create(day=NEXT_DAY.date())

        refresh_at(NEXT_DAY + timedelta(minutes=1))

        assert [row.key[0] for row in Attempt.objects.all()] == ["b"]
        assert [row.day for row in DailySalt.objects.all()] == [NEXT_DAY.date()]
