"""How far the search of the past for new fingerprints is; with --run, carry it through here and now."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from moderation import pipeline, tasks
from moderation.models import BankedHash, LookBack

_WIDTH = 30


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--run", action="store_true", help="search here, beside the workers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["run"]:
            self._run()
        open_ = LookBack.objects.exclude(work_state=LookBack.WorkState.DONE)
        for search in open_.order_by("pk"):
            self.stdout.write(f"#{search.pk} {search.work_state} {_bar(search)}")
        waiting = BankedHash.objects.unsearched().count()
        self.stdout.write(f"Fingerprints that no pass has yet: {waiting}")

    def _run(self) -> None:
        pipeline.gather(timezone.now())
        for search in LookBack.objects.due(timezone.now()).order_by("pk"):
            goes_on = True
            while goes_on:
                ordered, goes_on = pipeline.look_back(search, timezone.now())
                self.stderr.write(f"\r#{search.pk} {_bar(search)}", ending="")
                sys.stderr.flush()
                for order in ordered:
                    tasks.ring(tasks.enforce, order.pk)
            self.stderr.write("")


def _bar(search: LookBack) -> str:
    done = round(_WIDTH * search.progress)
    counts = f"{search.seen_count:,} of {search.total_count:,}"
    found = len(search.found)
    return f"[{'#' * done}{'.' * (_WIDTH - done)}] {counts}, {found} found"
