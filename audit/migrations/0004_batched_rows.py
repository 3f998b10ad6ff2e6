"""Rows that went in as a batch, which the metadata's journal takes as one message and not one by one."""

from django.db import migrations, models

# Which rows are published depends on the column, so what tells rows apart has to hold it, wherever some are deleted.
_IS_BATCHED = """
ALTER TABLE audit_auditevent ADD COLUMN is_batched boolean NOT NULL DEFAULT false;
DO $$
DECLARE part regclass;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'audit_auditevent'::regclass LOOP
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', part);
    END LOOP;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_seal_form"),
    ]

    operations = [
        migrations.RunSQL(_IS_BATCHED, "ALTER TABLE audit_auditevent DROP COLUMN is_batched CASCADE"),
        migrations.AddField(
            model_name="auditevent",
            name="is_batched",
            field=models.BooleanField(
                db_default=False, help_text="The metadata's journal has the row in a message of its batch."
            ),
        ),
    ]
