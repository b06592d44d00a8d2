"""Check every chain of the record from its first entry to its head."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from moderation.models import AuditEntry, AuditHead
from moderation.models.audit import GENESIS, chained


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: naming the first entry that does not fit, or the head that is missing.
        """
        for head in AuditHead.objects.order_by("stream"):
            count, last = 0, GENESIS
            entries = AuditEntry.objects.filter(stream=head.stream)
            for entry in entries.order_by("number").iterator():
                count += 1
                place = f"{head.stream}/{entry.number}"
                if entry.number != count or entry.previous != last:
                    raise CommandError(f"Before {place} something is missing.")
                if entry.hash != chained(last, entry.text):
                    raise CommandError(f"Entry {place} was changed.")
                last = entry.hash
            if (count, last) != (head.number, head.hash):
                raise CommandError(
                    f"The chain does not reach its head {head.stream}/{head.number}."
                )
            self.stdout.write(f"{head.stream}: {count} entries, head {last}")
