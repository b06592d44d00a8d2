"""Make the demonstration's data and say where everything is."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config import demo


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--quiet", action="store_true", help="print nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("Demo data is only for EMBEDDED=1.")
        demo.set_up(timezone.now())
        if not options["quiet"]:
            self._say()

    def _say(self) -> None:
        site = settings.HUB_URL
        say = self.stdout.write
        say("")
        say("Not Without My Consent, on this machine only. Stop it with Ctrl-C.")
        say("")
        say(f"  The hub               {site}/")
        say(f"  The reviewers' desk   {site}/staff/")
        say(f"  Two stand-ins         {site}/sandbox/facebook/")
        say(f"                        {site}/sandbox/instagram/")
        say(f"  The platform API      {settings.API_URL}/api/v1/docs/")
        say("")
        say(
            "  Staff                 passphrase             code now (next: manage.py code NAME)"
        )
        for name, login in demo.logins().items():
            code = demo.code(name, timezone.now())
            say(f"  {name:<20}  {login['passphrase']:<21}  {code}")
        say("")
        say("  One request to try, as the stand-in facebook:")
        say("")
        say(f"    curl -H 'Authorization: Bearer {demo.stand_in('facebook').key}' \\")
        say("      -F external_id=my-first-post -F account_id=kim \\")
        say(f"      -F media=@{demo.picture('chelsea.png')} \\")
        say(f"      {settings.API_URL}/api/v1/content/")
        say("")
