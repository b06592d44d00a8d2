"""How fast a list comes into a bank, and how long a person's submission waits meanwhile.

``python -m benchmarks.importing [--hashes 100000] [--database postgres://...]`` imports a list of random hashes with
``manage.py import_hashes`` into an installation of its own (or into the given database, which must be empty: it is
migrated, and left filled), and banks single hashes all the while, as the hub does.
"""

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_PERSON = """
import json, secrets, sys, time
from django.utils import timezone
from moderation.hashing import plausible
from moderation.models import token
from moderation.services import bank_hash
def made():
    while True:
        value = secrets.token_bytes(32)
        if plausible(value):
            return value
took = []
print("ready", flush=True)
for _ in sys.stdin:
    began = time.perf_counter()
    bank_hash(bank="cases", signal_type="pdq", value=made(), quality=90, source_ref=token(), actor="public",
        now=timezone.now())
    print(time.perf_counter() - began, flush=True)
"""
_BANKS = """
from moderation.models import HashBank
for slug, kind in (("cases", "CASES"), ("list", "PARTNER")):
    HashBank.objects.get_or_create(slug=slug, defaults={"name": slug, "kind": kind})
"""
_IMPORT = """
import json, resource, sys
from django.core.management import call_command
call_command("import_hashes", sys.argv[-1], "--bank", "list", "--format", "csv")
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hashes", type=int, default=100_000)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = _environment(Path(folder), options.database)
        path = Path(folder) / "list.csv"
        _write_list(path, options.hashes)
        _run(place, "migrate", "--verbosity", "0")
        _run(place, "shell", "-v", "0", "-c", _BANKS)
        first = _measured(place, path)
        again = _measured(place, path)
    print(
        f"\n{options.hashes:,} hashes, {'PostgreSQL' if options.database else 'SQLite'}"
    )
    print(f"{'':28}{'first':>10}{'again':>10}")
    for name, form in _ROWS.items():
        print(f"{name:28}{form.format(first[name]):>10}{form.format(again[name]):>10}")


_ROWS = {
    "seconds": "{:.1f}",
    "hashes a second": "{:,.0f}",
    "CPU, microseconds a hash": "{:.1f}",
    "memory, MB": "{:.0f}",
    "longest turn, s": "{:.2f}",
    "a person waits, median s": "{:.2f}",
    "a person waits, longest s": "{:.2f}",
}


def _environment(folder: Path, database: str) -> dict[str, str]:
    about = {"EMBEDDED": "1", "VAR_DIR": str(folder / "var"), "LOG_LEVEL": "ERROR"}
    if database:
        about["DATABASE_URL"] = database
    return {**os.environ, **about, "DJANGO_SETTINGS_MODULE": "config.settings"}


def _write_list(path: Path, count: int) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write("signal_type,value\n")
        while count:
            value = secrets.token_bytes(32)
            if 112 <= int.from_bytes(value).bit_count() <= 144:
                file.write(f"pdq,{value.hex()}\n")
                count -= 1


def _run(place: dict[str, str], *words: str) -> None:
    command = [sys.executable, "manage.py", *words]
    subprocess.run(command, env=place, check=True)  # noqa: S603


def _started(place: dict[str, str], code: str, *words: str) -> "subprocess.Popen[str]":
    prepared = f"import django; django.setup()\n{code}"
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", prepared, *words],
        env=place,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _measured(place: dict[str, str], path: Path) -> dict[str, float]:
    count = sum(1 for _ in path.open(encoding="ascii")) - 1
    person = _started(place, _PERSON)
    asks, answers = person.stdin, person.stdout
    if asks is None or answers is None:
        raise RuntimeError("There is no way to talk to the other process.")
    answers.readline()
    began = time.perf_counter()
    work = _started(place, _IMPORT, str(path))
    waits = []
    while work.poll() is None:
        asks.write("\n")
        asks.flush()
        waits.append(float(answers.readline()))
        time.sleep(0.2)
    seconds = time.perf_counter() - began
    person.communicate()
    *said, last = work.communicate()[0].splitlines()
    cpu, megabytes = json.loads(last)
    longest = next(line for line in said if line.startswith("longest"))
    return {
        "seconds": seconds,
        "hashes a second": count / seconds,
        "CPU, microseconds a hash": cpu / count * 1e6,
        "memory, MB": megabytes,
        "longest turn, s": float(longest.split(": ")[1].removesuffix(" s")),
        "a person waits, median s": statistics.median(waits),
        "a person waits, longest s": max(waits),
    }


if __name__ == "__main__":
    main()
