"""Orders to the stand-in platform: in order, once, confirmed, approved by a second person, and undone."""

from datetime import timedelta

import pytest

from moderation import pipeline, services
from moderation.models import Content, Enforcement, token
from moderation.models.work import MAX_ATTEMPTS
from moderation.platforms import Target, get_platform
from tests.factories import NOW, ContentFactory, EnforcementFactory

pytestmark = pytest.mark.django_db


def _target(order):
    return Target(order.account.external_id, order.content.external_id)


class TestEnforce:
    @pytest.fixture
    def sandbox(self):
        sandbox = get_platform("facebook")
        sandbox.set_down(False)
        return sandbox

    def _state(self, sandbox, content) -> str:
        posts = {post.id: post.state for post in sandbox.posts()}
        return posts.get(content.external_id, "unknown")

    def test_reaches_the_platform_and_notes_what_it_confirms(self, sandbox):
        order = EnforcementFactory(content__external_id=token())
        EnforcementFactory()

        pipeline.enforce(order, NOW)

        order.refresh_from_db()
        assert order.work_state == Enforcement.WorkState.DONE
        assert self._state(sandbox, order.content) == "REMOVED"
        assert Content.objects.get(pk=order.content_id).visibility == "REMOVED"

    def test_keeps_the_order_of_two_orders_for_one_content(self, sandbox):
        content = ContentFactory(external_id=token())
        first = EnforcementFactory(content=content)
        second = EnforcementFactory(content=content, action="RESTORE")

        assert pipeline.enforce(second, NOW) is None
        assert pipeline.enforce(first, NOW) == second
        pipeline.enforce(second, NOW)

        assert self._state(sandbox, content) == "VISIBLE"

    def test_tries_again_later_when_the_platform_is_down(self, sandbox):
        order = EnforcementFactory(content__external_id=token())
        sandbox.set_down(True)
        pipeline.enforce(order, NOW)
        order.refresh_from_db()
        assert order.work_state == Enforcement.WorkState.WAITING
        assert order.next_attempt_at == NOW + timedelta(minutes=1)
        assert list(Enforcement.objects.due(NOW)) == []
        sandbox.set_down(False)

        pipeline.enforce(order, order.next_attempt_at)

        order.refresh_from_db()
        assert order.work_state == Enforcement.WorkState.DONE

    def test_shows_people_what_it_had_to_give_up(self, sandbox):
        order = EnforcementFactory(attempt_count=MAX_ATTEMPTS - 1)
        sandbox.set_down(True)

        pipeline.enforce(order, NOW)

        assert list(Enforcement.objects.dead()) == [order]

    def test_does_it_once_although_two_workers_were_told(self, sandbox):
        order = EnforcementFactory(content__external_id=token())
        pipeline.enforce(Enforcement.objects.get(pk=order.pk), NOW)

        assert pipeline.enforce(order, NOW) is None

        order.refresh_from_db()
        assert order.attempt_count == 1

    def test_notes_that_the_account_deleted_its_post_itself(self, sandbox):
        order = EnforcementFactory(content__external_id=token())
        sandbox.remove(_target(order), token())
        sandbox.delete_post(order.content.external_id)

        pipeline.enforce(order, NOW)

        assert Content.objects.get(pk=order.content_id).visibility == "DELETED"

    def test_disables_and_enables_an_account(self, sandbox):
        order = EnforcementFactory(
            action="DISABLE_ACCOUNT", content__account__external_id=token()
        )
        pipeline.enforce(order, NOW)
        order.account.refresh_from_db()
        assert order.account.state == "DISABLED"
        assert sandbox.account(order.account.external_id).state == "DISABLED"


class TestApproval:
    def _held_back(self, reviewer):
        return services.order_enforcement(
            content=ContentFactory(),
            action=Enforcement.Action.DISABLE_ACCOUNT,
            cause_ref=token(),
            actor=reviewer,
            now=NOW,
            needs_approval=True,
        )

    def test_is_never_done_before_a_second_person_agreed(self, reviewer):
        order = self._held_back(reviewer)

        assert pipeline.enforce(order, NOW) is None
        assert list(Enforcement.objects.due(NOW)) == []

    def test_refuses_the_person_who_ordered_it(self, reviewer):
        order = self._held_back(reviewer)

        with pytest.raises(services.ApproverIsDecider):
            services.approve_enforcement(enforcement=order, approver=reviewer, now=NOW)

    def test_lets_it_go_once(self, reviewer, second_reviewer):
        order = self._held_back(reviewer)
        services.approve_enforcement(
            enforcement=order, approver=second_reviewer, now=NOW
        )

        assert list(Enforcement.objects.due(NOW)) == [order]
        with pytest.raises(services.NothingToApprove):
            services.decline_enforcement(
                enforcement=order, approver=second_reviewer, now=NOW
            )


class TestReverseEnforcements:
    def test_takes_back_what_has_not_begun_and_undoes_what_was_done(
        self, reviewer, second_reviewer
    ):
        content = ContentFactory(external_id=token())
        cause, appeal = token(), token()
        common = {"content": content, "cause_ref": cause, "actor": reviewer, "now": NOW}
        removal = services.order_enforcement(action=Enforcement.Action.REMOVE, **common)
        waiting = services.order_enforcement(
            action=Enforcement.Action.DISABLE_ACCOUNT, needs_approval=True, **common
        )
        pipeline.enforce(removal, NOW)
        EnforcementFactory()

        orders = services.reverse_enforcements(
            cause_ref=cause, new_cause_ref=appeal, actor=second_reviewer, now=NOW
        )

        waiting.refresh_from_db()
        assert waiting.work_state == Enforcement.WorkState.CANCELLED
        assert [(order.action, order.reverses) for order in orders] == [
            ("RESTORE", removal)
        ]

    def _undo(self, order, actor):
        return services.reverse_enforcements(
            cause_ref=order.cause_ref, new_cause_ref=token(), actor=actor, now=NOW
        )

    def test_undoes_what_was_tried_without_an_answer(self, reviewer):
        """The platform may have done it and only its answer was lost."""
        order = EnforcementFactory(attempt_count=1)
        fresh = EnforcementFactory()

        assert [undo.action for undo in self._undo(order, reviewer)] == ["RESTORE"]
        assert self._undo(fresh, reviewer) == []

        order.refresh_from_db()
        assert order.work_state == Enforcement.WorkState.CANCELLED
        assert list(Enforcement.objects.due(NOW)) == [order.reversed_by.get()]

    def test_restores_a_post_only_when_nobody_else_removed_it(self, reviewer):
        first = EnforcementFactory(work_state="DONE", done_at=NOW)
        second = EnforcementFactory(
            content=first.content, work_state="DONE", done_at=NOW
        )
        EnforcementFactory(work_state="DONE", done_at=NOW)

        assert self._undo(first, reviewer) == []
        assert list(Enforcement.objects.due(NOW)) == []
        (restored,) = self._undo(second, reviewer)

        assert (restored.action, restored.reverses) == ("RESTORE", second)

    def test_opens_an_account_only_when_no_other_decision_closed_it(
        self, reviewer, second_reviewer
    ):
        closed = {
            "action": "DISABLE_ACCOUNT",
            "work_state": "DONE",
            "done_at": NOW,
            "needs_approval": True,
            "approved_by": second_reviewer,
            "approved_at": NOW,
        }
        first = EnforcementFactory(**closed)
        content = ContentFactory(account=first.account)
        second = EnforcementFactory(content=content, **closed)
        EnforcementFactory(
            content=ContentFactory(account=first.account),
            action="DISABLE_ACCOUNT",
            work_state="HELD_BACK",
            needs_approval=True,
        )

        assert self._undo(first, reviewer) == []
        (opened,) = self._undo(second, reviewer)

        assert (opened.action, opened.account) == ("ENABLE_ACCOUNT", first.account)

    def test_never_shows_a_held_post_that_a_decision_removed(self, reviewer):
        hold = EnforcementFactory(action="HOLD", work_state="DONE", done_at=NOW)
        removal = EnforcementFactory(content=hold.content)

        assert self._undo(hold, reviewer) == []

        assert list(Enforcement.objects.due(NOW)) == [removal]
