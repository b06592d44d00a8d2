"""Make an API key for a platform and show it, once."""

import ipaddress
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from moderation.models import ApiKey, AuditEntry, Platform
from moderation.models.partners import KEY_LIFE, Scope

# One in use and one to change over to.
_ENOUGH = 2


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("alias", help="the platform's alias in PLATFORMS")
        parser.add_argument(
            "--scope", action="append", required=True, choices=Scope.values
        )
        parser.add_argument("--days", type=int, default=KEY_LIFE.days)
        parser.add_argument(
            "--network",
            action="append",
            default=[],
            help="a network (CIDR) that it may be used from; several make several",
        )
        parser.add_argument("--name", help="how people are told of this platform")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: for a term above a year, what is no network, or a new platform without a name.
        """
        if not 1 <= options["days"] <= KEY_LIFE.days:
            raise CommandError(f"A key lives between 1 and {KEY_LIFE.days} days.")
        networks = _networks(options["network"])
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
            networks=networks,
            created_at=now,
            expires_at=now + timedelta(days=options["days"]),
        )
        AuditEntry.record(actor="operator", verb="key.made", target=key)
        self._warn(key, now)
        self.stdout.write(raw)

    def _warn(self, key: ApiKey, now: datetime) -> None:
        live = ApiKey.objects.live(now).filter(platform=key.platform, scopes=key.scopes)
        if live.count() > _ENOUGH:
            others = ", ".join(one.prefix for one in live if one.pk != key.pk)
            self.stderr.write(
                f"{key.platform.alias} now has {live.count()} live keys with these scopes. Revoke those that nobody"
                f" uses: {others}."
            )


def _networks(given: list[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(one)) for one in given]
    except ValueError as error:
        raise CommandError(f"This is no network: {error}.") from None
