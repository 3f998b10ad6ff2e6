"""The Django application of buckets."""

from importlib import import_module

from django.apps import AppConfig


class BucketsConfig(AppConfig):
    """Register the app under its label, and its operations."""

    name = "buckets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the S3 operations, so that the registry is whole once Django is set up."""
        import_module("buckets.operations")
