"""The record: only ever added to, and a change is found."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from moderation.models import AuditEntry, AuditHead
from moderation.models.audit import chained
from tests.conftest import triggers
from tests.factories import FlagFactory, UserFactory


def add(count: int = 3) -> list[AuditEntry]:
    flag, reviewer = FlagFactory(), UserFactory()
    with transaction.atomic():
        return [
            AuditEntry.record(
                actor=reviewer, verb="flag.raised", target=flag, code=str(number)
            )
            for number in range(count)
        ]


@pytest.mark.django_db
class TestRecord:
    def test_chains_each_entry_to_the_one_before(self):
        first, second, third = add()

        assert (first.number, second.number, third.number) == (1, 2, 3)
        assert second.previous == first.hash
        assert third.hash == chained(second.hash, third.text)
        assert AuditHead.objects.get(stream="record").hash == third.hash

    def test_names_the_actor_by_number_and_the_deed_by_verb(self):
        entry = add(1)[0]

        facts = json.loads(entry.text)
        assert facts["verb"] == "flag.raised"
        assert facts["actor"].startswith("user:")
        assert facts["target"].startswith("moderation.flag:")

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE moderation_auditentry SET text = 'x'",
            "DELETE FROM moderation_auditentry",
        ],
    )
    def test_cannot_be_changed_or_deleted(self, statement):
        add(1)

        with (
            connection.cursor() as cursor,
            transaction.atomic(),
            pytest.raises(DatabaseError, match="only ever added"),
            transaction.atomic(),
        ):
            cursor.execute(statement)

    def test_cannot_be_replaced_by_an_insert(self):
        entry = add(1)[0]
        conflict = {
            "sqlite": "INSERT OR REPLACE INTO {} VALUES ({}, 'record', 1, 'x', 'x', 'x')",
            "postgresql": "INSERT INTO {} VALUES ({}, 'record', 1, 'x', 'x', 'x')"
            " ON CONFLICT (id) DO UPDATE SET text = 'x'",
        }[connection.vendor]

        with (
            connection.cursor() as cursor,
            pytest.raises(DatabaseError, match="only ever added"),
            transaction.atomic(),
        ):
            cursor.execute(conflict.format(AuditEntry._meta.db_table, entry.pk))

    def test_cannot_be_changed_through_the_model(self):
        entry = add(1)[0]
        entry.text = "{}"

        with pytest.raises(DatabaseError), transaction.atomic():
            entry.save()


@pytest.mark.django_db(transaction=True)
class TestOutsideATransaction:
    def test_is_refused(self):
        flag = FlagFactory()

        with pytest.raises(transaction.TransactionManagementError):
            AuditEntry.record(actor="x", verb="flag.raised", target=flag)


@pytest.mark.django_db
class TestVerifyAudit:
    def test_finds_the_row_that_an_owner_of_the_database_edited(self, capsys):
        add(80)
        call_command("verify_audit")
        assert "80 entries" in capsys.readouterr().out
        triggers.drop(connection)
        AuditEntry.objects.filter(number=77).update(text='{"edited":true}')
        triggers.create(connection)

        with pytest.raises(CommandError, match="record/77"):
            call_command("verify_audit")

    def test_finds_that_the_newest_entries_are_missing(self):
        add(3)
        triggers.drop(connection)
        AuditEntry.objects.filter(number=3).delete()
        triggers.create(connection)

        with pytest.raises(CommandError, match="record/3"):
            call_command("verify_audit")
