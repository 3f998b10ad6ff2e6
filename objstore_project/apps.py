"""The Django application that holds the management command `up`."""

from django.apps import AppConfig


class ObjstoreProjectConfig(AppConfig):
    """Register the package under its label; it has no models."""

    name = "objstore_project"
    verbose_name = "objstore"
