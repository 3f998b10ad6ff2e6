"""Register the chunk engine with Django."""

from django.apps import AppConfig


class ChunksConfig(AppConfig):
    """The app `chunks`, shown as Storage."""

    name = "chunks"
    verbose_name = "Storage"
    default_auto_field = "django.db.models.BigAutoField"
