"""Register the console with Django."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The top floor of the apps; its only tables are about signing in."""

    name = "console"
