"""Take away somebody's second factor and end their sessions; they set up a new one at the next sign-in."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from moderation.models import AuditEntry, User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="what they sign in with")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: if there is nobody of this name.
        """
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError("There is no member of staff of this name.")
        Authenticator.objects.filter(user=user).delete()
        for session in Session.objects.iterator():
            if session.get_decoded().get("_auth_user_id") == str(user.pk):
                session.delete()
        AuditEntry.record(actor="operator", verb="staff.factor_reset", target=user)
        self.stdout.write(f"{user.username} sets up a new second factor next time.")
