"""Undo everything that one source of fingerprints caused, and that no other source backs (playbook 6).

With --dry-run it only counts. A run that was stopped goes on where it was when it is started again.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from moderation.errors import Refusal
from moderation.models import User
from moderation.services import find_source
from reviews.models import Revocation
from reviews.services import COUNTED, begin_revocation, dry_run, revoke_source

_REASONS = {
    "wrong-picture": Revocation.Reason.WRONG_PICTURE,
    "bad-source": Revocation.Reason.BAD_SOURCE,
}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("ref", nargs="?", default="", help="a source's reference")
        parser.add_argument(
            "--bank", default="", help="all of a bank (a feed's, say) instead"
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--batch", type=int, default=500, help="how much is done between two notes"
        )
        parser.add_argument("--by", help="username of who decides it")
        parser.add_argument("--approved-by", help="username of the second person")
        parser.add_argument(
            "--reason",
            choices=_REASONS,
            default="wrong-picture",
            help="for people's own fingerprints: only that the banked picture itself is wrong",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: if there is no such source, or the people who are named may not do it.
        """
        if bool(options["ref"]) == bool(options["bank"]):
            raise CommandError("Name a source's reference, or a bank with --bank.")
        if options["batch"] < 1:
            raise CommandError("A batch has at least one.")
        named = {"ref": options["ref"], "bank": options["bank"]}
        try:
            if options["dry_run"]:
                self._print(dry_run(find_source(**named), timezone.now()))
                self.stdout.write("Nothing was changed.")
                return
            revocation = self._begun(named, options)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from None
        for step in revoke_source(
            revocation, batch=options["batch"], now=timezone.now()
        ):
            self.stderr.write(f"{step.get_stage_display()}, up to {step.cursor}")
        self._print(revocation.counts)
        self.stdout.write(f"Revoked: {revocation.public_id}")

    def _begun(self, named: dict[str, str], options: dict[str, Any]) -> Revocation:
        return begin_revocation(
            **named,
            reason=_REASONS[options["reason"]],
            by=_person(options["by"], "--by"),
            approved_by=_person(options["approved_by"], "--approved-by"),
            now=timezone.now(),
        )

    def _print(self, counts: dict[str, int]) -> None:
        for name in COUNTED:
            self.stdout.write(f"{name.replace('_', ' '):16}{counts.get(name, 0):>10}")


def _person(username: str | None, option: str) -> User:
    if not username:
        raise CommandError(f"It takes two people: name one with {option} USERNAME.")
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise CommandError(f"Nobody who works here is called {username}.")
    return person
