"""The audit log: its rows by day, the seals of the days' chains, and how far sealing has come."""

from django.db import migrations, models
from django.db.models.functions import Now

# The default partition takes what no partition is there for, so that a late duty never makes a write fail.
_ROWS = """
CREATE SEQUENCE audit_auditevent_id_seq AS bigint;
CREATE TABLE audit_auditevent (
    at timestamptz NOT NULL,
    id bigint NOT NULL DEFAULT nextval('audit_auditevent_id_seq'),
    request_id text NOT NULL,
    source text NOT NULL,
    operation text NOT NULL,
    action text NOT NULL,
    account_id text,
    principal text NOT NULL,
    access_key_id text,
    bucket text,
    key text COLLATE "C",
    version_id text,
    owner_id text,
    outcome text,
    reason text NOT NULL,
    trace jsonb,
    source_ip text NOT NULL,
    user_agent text NOT NULL,
    status int NOT NULL,
    error_code text NOT NULL,
    bytes_in bigint NOT NULL,
    bytes_out bigint NOT NULL,
    object_bytes bigint,
    duration_us bigint NOT NULL,
    method text NOT NULL,
    request_uri text NOT NULL,
    host text NOT NULL,
    referer text NOT NULL,
    auth_type text NOT NULL,
    is_secure boolean NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
ALTER SEQUENCE audit_auditevent_id_seq OWNED BY audit_auditevent.id;
CREATE INDEX audit_by_resource ON audit_auditevent
    (hashtextextended(coalesce(bucket, '') || '/' || coalesce(key, ''), 0), at, id);
CREATE INDEX audit_by_principal ON audit_auditevent (hashtextextended(principal, 0), at, id);
CREATE INDEX audit_by_id ON audit_auditevent USING brin (id) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX audit_by_request ON audit_auditevent
 USING brin (request_id text_bloom_ops (n_distinct_per_range = 800)) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX audit_by_rarity ON audit_auditevent USING brin (
    bucket text_bloom_ops (n_distinct_per_range = 100), access_key_id text_bloom_ops (n_distinct_per_range = 100),
    account_id text_bloom_ops (n_distinct_per_range = 50), owner_id text_bloom_ops (n_distinct_per_range = 50),
    source_ip text_bloom_ops (n_distinct_per_range = 200), error_code text_bloom_ops (n_distinct_per_range = 30),
    operation text_bloom_ops (n_distinct_per_range = 60)
)
  WITH (pages_per_range = 64, autosummarize = on);
CREATE TABLE audit_auditevent_default PARTITION OF audit_auditevent DEFAULT;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunSQL(_ROWS, "DROP TABLE audit_auditevent CASCADE"),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "at", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(help_text="When the request arrived.")),
                ("id", models.BigIntegerField(help_text="Drawn when the row is written.")),
                ("request_id", models.TextField()),
                ("source", models.TextField(help_text="s3, iam, console, command, share, or audit itself.")),
                ("operation", models.TextField()),
                ("action", models.TextField()),
                ("account_id", models.TextField(null=True)),
                ("principal", models.TextField(help_text="The ARN; * is anonymous; empty: nobody was authenticated.")),
                ("access_key_id", models.TextField(null=True)),
                ("bucket", models.TextField(null=True)),
                ("key", models.TextField(null=True)),
                ("version_id", models.TextField(null=True)),
                ("owner_id", models.TextField(help_text="The account that owns the bucket.", null=True)),
                ("outcome", models.TextField(help_text="Of the decision; none was made where it is null.", null=True)),
                ("reason", models.TextField(help_text="The statement that decided, or why no decision was come to.")),
                (
                    "trace",
                    models.JSONField(
                        help_text="Of a refusal: everything that matched, and what was asked about.", null=True
                    ),
                ),
                ("source_ip", models.TextField()),
                ("user_agent", models.TextField()),
                ("status", models.IntegerField()),
                ("error_code", models.TextField()),
                ("bytes_in", models.BigIntegerField()),
                ("bytes_out", models.BigIntegerField()),
                ("object_bytes", models.BigIntegerField(null=True)),
                (
                    "duration_us",
                    models.BigIntegerField(
                        help_text="In microseconds, until the last byte; of a change, until it was made."
                    ),
                ),
                ("method", models.TextField()),
                ("request_uri", models.TextField()),
                ("host", models.TextField()),
                ("referer", models.TextField()),
                ("auth_type", models.TextField()),
                ("is_secure", models.BooleanField()),
            ],
            options={"db_table": "audit_auditevent", "ordering": ["-at", "-id"], "managed": False},
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("sequence", models.IntegerField()),
                ("after_id", models.BigIntegerField(help_text="The run begins behind this id …")),
                ("last_id", models.BigIntegerField(help_text="… and ends with this one, whether or not a row has it.")),
                ("row_count", models.IntegerField()),
                ("rows_digest", models.CharField(max_length=64)),
                (
                    "digest",
                    models.CharField(help_text="SHA-256 over the previous link's digest and this link.", max_length=64),
                ),
                ("sealed_at", models.DateTimeField(db_default=Now())),
                (
                    "is_dropped",
                    models.BooleanField(
                        default=False, help_text="The day's rows are gone by retention; this was its head."
                    ),
                ),
            ],
            options={
                "ordering": ["day", "sequence"],
                "constraints": [models.UniqueConstraint(fields=("day", "sequence"), name="one_link_per_place")],
            },
        ),
        migrations.CreateModel(
            name="AuditProgress",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("sealed_id", models.BigIntegerField(default=0, help_text="All rows up to this id are in a chain.")),
                (
                    "pending_id",
                    models.BigIntegerField(
                        default=0, help_text="Settled once every transaction of that time has ended."
                    ),
                ),
                ("pending_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_audit_progress")],
            },
        ),
        migrations.RunSQL("INSERT INTO audit_auditprogress (id, sealed_id, pending_id) VALUES (1, 0, 0)", ""),
    ]
