"""Make the banks and publish the policies: once before the first case, and again after each new version."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from config import installation


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        banks, policies = installation.prepare(timezone.now())
        self.stdout.write(f"Banks made: {banks}. Policies published: {policies}.")
