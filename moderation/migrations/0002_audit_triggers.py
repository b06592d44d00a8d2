"""The database itself refuses to change or delete an audit entry (T-40)."""

from django.db import migrations

SQLITE = {
    "audit_no_update": """
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON moderation_auditentry
        BEGIN SELECT RAISE(ABORT, 'audit entries are only ever added'); END""",
    "audit_no_delete": """
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON moderation_auditentry
        BEGIN SELECT RAISE(ABORT, 'audit entries are only ever added'); END""",
}
POSTGRES_FUNCTION = """
    CREATE OR REPLACE FUNCTION audit_only_added() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit entries are only ever added'; END $$"""
POSTGRES = {
    "audit_no_change": """
        CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON moderation_auditentry
        FOR EACH ROW EXECUTE FUNCTION audit_only_added()""",
    "audit_no_truncate": """
        CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON moderation_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added()""",
}


def create(connection):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRES_FUNCTION)
        for statement in _triggers(connection).values():
            cursor.execute(statement)


def drop(connection):
    suffix = " ON moderation_auditentry" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in _triggers(connection):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{suffix}")


def _triggers(connection):
    return POSTGRES if connection.vendor == "postgresql" else SQLITE


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial")]
    operations = [
        migrations.RunPython(
            lambda apps, editor: create(editor.connection),
            lambda apps, editor: drop(editor.connection),
        )
    ]
