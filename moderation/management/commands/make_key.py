"""Make an API key for a platform and show it, once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from moderation.models import ApiKey, AuditEntry, Platform
from moderation.models.partners import Scope

_MOST_DAYS = 365


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("alias", help="the platform's alias in PLATFORMS")
        parser.add_argument(
            "--scope", action="append", required=True, choices=Scope.values
        )
        parser.add_argument("--days", type=int, default=_MOST_DAYS)
        parser.add_argument("--name", help="how people are told of this platform")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: for a term above a year, or a new platform without a name.
        """
        if not 1 <= options["days"] <= _MOST_DAYS:
            raise CommandError(f"A key lives between 1 and {_MOST_DAYS} days.")
        now = timezone.now()
        platform = Platform.objects.filter(alias=options["alias"]).first()
        if platform is None:
            if not options["name"]:
                raise CommandError("This platform is new: give its --name too.")
            platform = Platform.objects.create(
                alias=options["alias"], name=options["name"], created_at=now
            )
        prefix, digest, raw = ApiKey.new_secret()
        key = ApiKey.objects.create(
            platform=platform,
            prefix=prefix,
            secret_sha256=digest,
            scopes=sorted(set(options["scope"])),
            created_at=now,
            expires_at=now + timedelta(days=options["days"]),
        )
        AuditEntry.record(actor="operator", verb="key.made", target=key)
        self.stdout.write(raw)
