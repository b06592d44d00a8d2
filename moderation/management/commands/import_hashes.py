"""Import a file of fingerprints into a bank. The same command again goes on where it stopped and doubles nothing."""

import gc
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from moderation.errors import Refusal
from moderation.models import HashBank
from moderation.services import importing
from moderation.storage import blind_index

_WIDTH = 30
_EVERY_SECONDS = 0.2


class Bar:
    """How far it is, on one line of a terminal; elsewhere a line for each tenth."""

    def __init__(self, total: int, out: TextIO) -> None:
        self._total, self._out = total, out
        self._began = self._drawn = time.monotonic()
        self._tenth = 0
        self._line = "\r{bar} {share:4.0%}  {done:,} of {total:,}  {rate:,.0f}/s"

    def show(self, done: int) -> None:
        now = time.monotonic()
        if self._out.isatty():
            if now - self._drawn >= _EVERY_SECONDS or done == self._total:
                self._drawn = now
                self._draw(done, now - self._began)
        elif done * 10 // self._total > self._tenth:
            self._tenth = done * 10 // self._total
            self._draw(done, now - self._began)

    def _draw(self, done: int, seconds: float) -> None:
        filled = _WIDTH * done // self._total
        line = self._line.format(
            bar="#" * filled + "." * (_WIDTH - filled),
            share=done / self._total,
            done=done,
            total=self._total,
            rate=done / max(seconds, 0.001),
        )
        at_end = done == self._total or not self._out.isatty()
        self._out.write(line + ("\n" if at_end else ""))
        self._out.flush()


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--bank", required=True, help="the slug of the bank")
        parser.add_argument("--format", required=True, choices=importing.FORMATS)
        parser.add_argument(
            "--source",
            help="by what name to revoke all of it one day (the file's name, if not said)",
        )
        parser.add_argument(
            "--skip-refused",
            action="store_true",
            help="leave out the lines that are wrong, instead of nothing at all being imported",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """
        :raises CommandError: for a bank or file that is not there, and for the first wrong line.
        """
        bank = HashBank.objects.filter(slug=options["bank"]).first()
        if bank is None:
            raise CommandError(f"There is no bank named {options['bank']}.")
        # What is loaded now stays: no use in looking through it again and again, which takes a quarter of the time.
        gc.freeze()
        source = options["source"] or options["file"].name
        source_ref = blind_index(source.encode(), "import")[:32]
        try:
            with options["file"].open("rb") as file:
                rows = importing.SortedFile(file, options["format"])
                refused = self._checked(rows, skip=options["skip_refused"])
                done = importing.import_hashes(
                    bank=bank,
                    hashes=rows,
                    source_ref=source_ref,
                    actor="operator",
                    now=timezone.now(),
                    progress=Bar(len(rows), sys.stderr).show,
                )
        except (OSError, Refusal) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"added: {done.added_count}")
        self.stdout.write(f"already there: {done.known_count}")
        self.stdout.write(f"refused: {refused}")
        self.stdout.write(f"source: {source_ref}")
        self.stdout.write(f"longest turn at the lock: {done.longest:.2f} s")

    def _checked(self, rows: importing.SortedFile, *, skip: bool) -> int:
        """How many lines are wrong, before anything is written.

        :raises HashRefused: for the first one, unless such lines are to be left out.
        """
        count = 0
        for row in rows.check():
            if not isinstance(row, Refusal):
                continue
            if not skip:
                raise row
            count += 1
            self.stderr.write(str(row))
        return count
