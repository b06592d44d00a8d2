"""Try again what workers gave up: after a platform was down for long, or a missing file was put in its place."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from moderation import services


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        for kind, count in services.revive(now=timezone.now()).items():
            self.stdout.write(f"{kind}: {count}")
