"""The Django application of accounts, users and keys."""

from django.apps import AppConfig


class AccessControlConfig(AppConfig):
    """Register the app under its label."""

    name = "accesscontrol"
    verbose_name = "Access control"
    default_auto_field = "django.db.models.BigAutoField"
