"""Django's registration of this package: it brings the commands that need all apps at once."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
