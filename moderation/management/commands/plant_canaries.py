"""Put fingerprints of nothing on a partner's list: a log line says so when anybody asks about one of them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from moderation.models import Platform
from moderation.services import sharing

_MOST = 1000


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("alias", help="the partner's alias")
        parser.add_argument("--count", type=int, default=20)

    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: for an unknown partner or a count that is none.
        """
        partner = Platform.objects.filter(alias=options["alias"]).first()
        if partner is None:
            raise CommandError("No platform has this alias.")
        if not 1 <= options["count"] <= _MOST:
            raise CommandError(f"Plant between 1 and {_MOST}.")
        sharing.plant_canaries(
            partner=partner,
            count=options["count"],
            actor="operator",
            now=timezone.now(),
        )
        self.stdout.write(f"Planted {options['count']} on the list of {partner.name}.")
