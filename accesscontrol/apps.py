"""The Django application of accounts, users and keys."""

from importlib import import_module

from django.apps import AppConfig


class AccessControlConfig(AppConfig):
    """Register the app under its label, and its operations."""

    name = "accesscontrol"
    verbose_name = "Access control"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the operations of IAM and STS, so that the registry is whole once Django is set up."""
        import_module("accesscontrol.operations")
