"""The six digits that a demo login's authenticator app would show now."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config import demo


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="rowan, noor or sage")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED or options["name"] not in demo.logins():
            raise CommandError("There is no such demo login. Run setup_demo first.")
        self.stdout.write(demo.code(options["name"], timezone.now()))
