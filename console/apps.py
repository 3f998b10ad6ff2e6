"""Register the console with Django."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The top floor of the apps; it has no tables of its own."""

    name = "console"
