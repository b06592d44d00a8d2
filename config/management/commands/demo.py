"""Play the main job once, on an installation of its own, and print each step with its time."""

import shutil
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.stack import StackError, running
from config.walk import Walk, WalkBroken, scratch


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--keep", action="store_true", help="keep its data and logs"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: at the first step that did not end as it must.
        """
        if not settings.EMBEDDED:
            raise CommandError("The demonstration is only for EMBEDDED=1.")
        folder = scratch(Path(settings.VAR_DIR))
        began = time.perf_counter()
        self.stdout.write("Starting web, worker and beat on a free port ...")
        try:
            with running(folder) as stack:
                self._say("They run", time.perf_counter() - began)
                Walk(stack, self._say).play()
        except (StackError, WalkBroken) as broken:
            raise CommandError(f"{broken} Logs are in {folder}.") from broken
        self.stdout.write(f"The whole walk: {time.perf_counter() - began:.1f} s")
        if not options["keep"]:
            shutil.rmtree(folder, ignore_errors=True)

    def _say(self, text: str, seconds: float) -> None:
        self.stdout.write(f"  {seconds:6.2f} s  {text}")
        self.stdout.flush()
