"""The queue of record: taken once, fenced, tried again, given up where people see it."""

from datetime import datetime, timedelta

import pytest
from celery import current_app
from django.db import IntegrityError, transaction
from kombu.exceptions import OperationalError as BrokerDown

from moderation import tasks
from moderation.models import Content, Enforcement, Evidence
from moderation.models.work import MAX_ATTEMPTS, stale
from tests.factories import NOW, ContentFactory, EnforcementFactory, PlatformFactory
from tests.services.servers import free_port

pytestmark = pytest.mark.django_db
WAITING, RUNNING = "WAITING", "RUNNING"


class TestTheBell:
    @pytest.mark.services
    def test_does_not_keep_a_request_waiting_when_the_broker_is_down(self, monkeypatch):
        def wait(_seconds: float) -> None:
            pytest.fail("it waits to try again")

        monkeypatch.setattr("kombu.utils.functional.sleep", wait)
        nobody = f"redis://127.0.0.1:{free_port()}/0"

        with (
            current_app.connection_for_write(nobody) as connection,
            pytest.raises(BrokerDown),
        ):
            tasks.enforce.apply_async((1,), connection=connection)


class TestStart:
    def test_gives_the_work_to_one_of_two(self):
        order = EnforcementFactory()
        other = Enforcement.objects.get(pk=order.pk)

        assert order.start(NOW)
        assert not other.start(NOW)

    def test_fences_off_a_worker_that_lost_the_work(self):
        slow = EnforcementFactory()
        slow.start(NOW)
        later = NOW + stale() + timedelta(seconds=1)
        fast = Enforcement.objects.get(pk=slow.pk)
        assert fast.start(later)

        assert not slow.finish(later)
        assert not slow.retry(later, "late")

        fast.refresh_from_db()
        assert fast.work_state == RUNNING
        assert fast.finish(later)

    def test_keeps_the_pause_however_often_the_bell_rings(self):
        order = EnforcementFactory()
        order.start(NOW)
        order.retry(NOW, "down")

        assert not any(order.start(NOW) for _ in range(MAX_ATTEMPTS))
        assert order.start(order.next_attempt_at)

    def test_takes_new_work_by_a_clock_that_is_a_little_behind(self):
        order = EnforcementFactory()

        assert order.start(order.next_attempt_at - timedelta(seconds=1))


class TestRetry:
    def test_waits_longer_each_time_and_an_hour_at_most(self):
        order = EnforcementFactory()
        pauses, now = [], NOW
        for _ in range(9):
            order.start(now)
            order.retry(now, "down")
            pauses.append((order.next_attempt_at - now) // timedelta(minutes=1))
            now = order.next_attempt_at

        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]

    def test_ends_where_people_see_it(self):
        order = EnforcementFactory(attempt_count=MAX_ATTEMPTS - 1)
        EnforcementFactory()
        order.start(NOW)

        order.retry(NOW, "down")

        assert list(Enforcement.objects.dead()) == [order]


class TestTheDatabase:
    @pytest.mark.parametrize(
        "fields",
        [
            {"work_state": "NONSENSE"},
            {"work_state": "DONE"},
            {"work_state": RUNNING},
            {"needs_approval": True},
        ],
    )
    def test_refuses_work_that_makes_no_sense(self, fields):
        order = EnforcementFactory()

        with pytest.raises(IntegrityError), transaction.atomic():
            Enforcement.objects.filter(pk=order.pk).update(**fields)


class TestSweep:
    def test_gives_up_on_what_may_be_killing_the_workers(self, monkeypatch):
        monkeypatch.setattr(tasks, "ring", lambda task, pk: None)
        killer = EnforcementFactory(
            work_state=RUNNING,
            started_at=NOW - timedelta(days=1),
            attempt_count=MAX_ATTEMPTS,
        )
        EnforcementFactory(work_state=RUNNING, started_at=NOW - timedelta(days=1))

        tasks.sweep()

        assert list(Enforcement.objects.dead()) == [killer]

    def test_rings_for_what_waits_and_what_was_left_behind(self, monkeypatch):
        rung = []
        monkeypatch.setattr(tasks, "ring", lambda task, pk: rung.append((task, pk)))
        waiting = EnforcementFactory()
        left = EnforcementFactory(
            work_state=RUNNING, started_at=NOW - timedelta(days=1)
        )
        EnforcementFactory(work_state="DONE", done_at=NOW)
        EnforcementFactory(work_state="HELD_BACK", needs_approval=True)

        tasks.sweep()

        assert rung == [(tasks.enforce, waiting.pk), (tasks.enforce, left.pk)]


class TestRing:
    def test_survives_a_broker_that_is_down(self, settings):
        class Broken:
            def delay(self, pk):
                raise OSError("no route to the broker")

        tasks.ring(Broken(), 1)


class TestTheLine:
    """One platform's flood does not keep the others waiting (T-30)."""

    @pytest.fixture
    def rung(self, monkeypatch) -> list[int]:
        rung: list[int] = []
        monkeypatch.setattr(tasks, "ring", lambda task, pk: rung.append(pk))
        monkeypatch.setattr(tasks, "IN_LINE", 3)
        return rung

    def waiting(self, alias: str, count: int) -> list[int]:
        platform = PlatformFactory(alias=alias)
        rows = ContentFactory.create_batch(
            count, platform=platform, work_state="WAITING", done_at=None
        )
        for row in rows:
            tasks.ring_for_check(row)
        return [row.pk for row in rows]

    def test_lets_a_few_of_each_platform_wait_at_the_bell(self, rung):
        loud, quiet = self.waiting("facebook", 8), self.waiting("instagram", 2)

        assert rung == loud[:3] + quiet

    def test_goes_on_to_its_end_without_anybody_sweeping(self, rung, monkeypatch):
        loud = self.waiting("facebook", 8)

        def check(content: Content, now: datetime) -> list[Enforcement]:
            Content.objects.filter(pk=content.pk).update(work_state="DONE", done_at=NOW)
            return []

        monkeypatch.setattr(tasks.pipeline, "check", check)
        Evidence.objects.bulk_create(
            Evidence(
                content_id=pk,
                wrapped_key=b"k",
                key_version=1,
                size=1,
                stored_at=NOW,
                expires_at=NOW,
            )
            for pk in loud
        )
        for pk in rung:  # it grows while it is worked off
            tasks.check_content(pk)

        assert rung == loud

    def test_is_swept_in_turns(self, rung):
        loud, quiet = self.waiting("facebook", 5), self.waiting("instagram", 2)
        rung.clear()

        tasks.sweep()

        assert rung[:4] == [loud[0], quiet[0], loud[1], quiet[1]]
        assert rung[4:] == [loud[2]]
