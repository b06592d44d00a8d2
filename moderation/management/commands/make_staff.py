"""Make a member of staff with a passphrase that is shown once; the second factor is set up at the first sign-in."""

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction

from moderation.models import AuditEntry, User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="what they sign in with")
        parser.add_argument("--pseudonym", required=True, help="what others may know")
        parser.add_argument("--role", choices=User.Role.values, default="REVIEWER")
        parser.add_argument("--admin", action="store_true", help="may use the admin")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: if the name or the pseudonym is taken.
        """
        passphrase = secrets.token_urlsafe(18)
        try:
            with transaction.atomic():
                user = User.objects.create_user(
                    options["name"],
                    password=passphrase,
                    pseudonym=options["pseudonym"],
                    role=options["role"],
                    is_staff=options["admin"],
                    is_superuser=options["admin"],
                )
        except IntegrityError as error:
            raise CommandError("This name or pseudonym is taken.") from error
        AuditEntry.record(
            actor="operator", verb="staff.made", target=user, role=user.role
        )
        self.stdout.write(passphrase)
