"""Register the journal with Django."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    """The app `journal`: the copy of the metadata that the nodes keep."""

    name = "journal"
    default_auto_field = "django.db.models.BigAutoField"
