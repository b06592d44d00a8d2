"""Revoke an API key; the next request with it is refused."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from moderation.models import ApiKey, AuditEntry


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("prefix", help="the 12 characters after hub_")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: if there is no such live key.
        """
        live = ApiKey.objects.filter(prefix=options["prefix"], revoked_at__isnull=True)
        key = live.first()
        if key is None:
            raise CommandError("There is no live key with this prefix.")
        live.update(revoked_at=timezone.now())
        AuditEntry.record(actor="operator", verb="key.revoked", target=key)
        self.stdout.write(f"Revoked {key.prefix}.")
