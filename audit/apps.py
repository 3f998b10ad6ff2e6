"""The Django application of the audit log."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Register the app under its label."""

    name = "audit"
