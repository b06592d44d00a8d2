"""What was given up is tried again when an operator says so."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from moderation import services
from moderation.models import AuditEntry, Content, Enforcement, Evidence
from tests.factories import NOW, ContentFactory, EnforcementFactory

pytestmark = pytest.mark.django_db
DEAD = {"work_state": "DEAD", "attempt_count": 12, "error_code": "down"}


def due() -> list[Enforcement]:
    return list(Enforcement.objects.due(NOW).order_by("pk"))


class TestRevive:
    def test_brings_back_the_last_order_of_each_target(self):
        outdated = EnforcementFactory(action="HOLD", **DEAD)
        removal = EnforcementFactory(content=outdated.content, **DEAD)
        closing = EnforcementFactory(
            content=outdated.content, action="DISABLE_ACCOUNT", **DEAD
        )
        EnforcementFactory(work_state="CANCELLED")

        assert services.revive(now=NOW)["enforcement"] == 2

        assert due() == [removal, closing]
        assert list(Enforcement.objects.dead()) == [outdated]
        verbs = [entry.facts["verb"] for entry in AuditEntry.objects.all()]
        assert verbs == ["enforcement.revived"] * 2

    def test_leaves_alone_what_was_undone(self):
        order = EnforcementFactory(**DEAD)
        undo = EnforcementFactory(
            content=order.content, action="RESTORE", reverses=order
        )

        services.revive(now=NOW)

        assert due() == [undo]

    def test_is_known_as_tried(self, reviewer):
        order = EnforcementFactory(**DEAD)
        services.revive(now=NOW)

        (undo,) = services.reverse_enforcements(
            cause_ref=order.cause_ref, new_cause_ref="x", actor=reviewer, now=NOW
        )

        assert undo.action == "RESTORE"

    def test_checks_again_while_the_picture_is_there(self, capsys):
        kept, gone = ContentFactory.create_batch(2, done_at=None, **DEAD)
        for content in (kept, gone):
            Evidence.objects.create(
                content=content,
                name=str(content.pk),
                wrapped_key=b"key",
                key_version=1,
                size=1,
                stored_at=NOW,
                expires_at=NOW + timedelta(hours=1),
            )
        gone.evidence.shred(NOW)

        call_command("revive")

        assert list(Content.objects.dead()) == [gone]
        assert capsys.readouterr().out == "check: 1\nenforcement: 0\nnotice: 0\n"
