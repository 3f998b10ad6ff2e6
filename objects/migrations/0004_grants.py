"""Access control lists of versions and uploads, who began an upload, and the functions that write them."""

from django.db import migrations, models

from objects.functions import recreate_functions


class Migration(migrations.Migration):
    dependencies = [
        ("objects", "0003_object_lock"),
    ]

    operations = [
        migrations.AddField(
            model_name="objectversion",
            name="acl",
            field=models.JSONField(help_text="Grants, see accesscontrol.acl; null is private.", null=True),
        ),
        migrations.AddField(
            model_name="multipartupload",
            name="acl",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="multipartupload",
            name="initiator_id",
            field=models.CharField(blank=True, db_default="", help_text="The account that began it.", max_length=12),
        ),
        recreate_functions(),
    ]
