"""What a bank's matches may cause before a person has looked: hold, or remove near copies of what was confirmed (T-21).

To let it remove takes two people; to stop it takes one.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from moderation import services
from moderation.errors import Refusal
from moderation.models import HashBank, User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("bank", help="the bank's short name")
        parser.add_argument("rule", choices=["hold", "remove"])
        parser.add_argument("--by", required=True, help="username of who decides it")
        parser.add_argument("--approved-by", help="username of the second person")

    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: if the bank or a person is unknown, or they may not do it.
        """
        bank = HashBank.objects.filter(slug=options["bank"]).first()
        if bank is None:
            raise CommandError("There is no bank of this name.")
        by, now = _person(options["by"]), timezone.now()
        if options["rule"] == "hold":
            services.stop_removal(bank=bank, actor=by, now=now)
        else:
            if not options["approved_by"]:
                raise CommandError("Name a second person: --approved-by USERNAME.")
            second = _person(options["approved_by"])
            try:
                services.allow_removal(bank=bank, by=by, approved_by=second, now=now)
            except Refusal as refusal:
                raise CommandError(str(refusal)) from None
        bank.refresh_from_db()
        self.stdout.write(f"{bank.slug}: {bank.get_automatic_display()}.")


def _person(username: str) -> User:
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise CommandError(f"Nobody who works here is called {username}.")
    return person
