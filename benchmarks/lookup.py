"""What a look-up over HTTP costs: CPU milliseconds of the web process for each request, as ratios in one run.

``python -m benchmarks.lookup [--hashes 100000] [--requests 1000]`` starts an installation of its own, asks it one hash
at a time over one connection, and compares with /livez of the same process, which does nothing.
"""

import argparse
import http.client
import json
import os
import secrets
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from config.stack import Stack, running

_FILL = """
import secrets
from django.utils import timezone
from moderation.matching import row_checksum
from moderation.models import BankChange, BankCounter, BankedHash, HashBank, token
from moderation.storage import blind_index, seal_value
now, bank, count = timezone.now(), HashBank.objects.get(slug="cases"), int({count})
values = [secrets.token_bytes(32) for _ in range(count)]
for start in range(0, count, 5000):
    rows = BankedHash.objects.bulk_create([
        BankedHash(bank=bank, signal_type="pdq", value_sealed=seal_value(value, "bank"), quality=100,
            value_index=blind_index(value, "pdq"), source_ref=token(), recipe="pdq-1", added_at=now)
        for value in values[start:start + 5000]])
    counter = BankCounter.objects.get_or_create(pk=1)[0]
    total = int(counter.checksum, 16)
    changes = []
    for row, value in zip(rows, values[start:start + 5000]):
        counter.number += 1
        counter.live_count += 1
        total = (total + row_checksum(row.pk, value)) % 2**64
        changes.append(BankChange(number=counter.number, kind="ADD", hash_id=row.pk, changed_at=now))
    BankChange.objects.bulk_create(changes)
    counter.checksum = f"{{total:016x}}"
    counter.save()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hashes", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=1000)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), SWEEP_SECONDS="600") as stack,
    ):
        stack.kill("worker")
        stack.kill("beat")
        key = stack.manage("make_key", "facebook", "--scope", "match:hash").strip()
        empty = measure(stack, key, options.requests)
        nothing = measure(stack, "", options.requests)
        stack.manage("shell", "-v", "0", "-c", _FILL.format(count=options.hashes))
        first = time.perf_counter()
        ask(connection(stack), key)
        caught_up = time.perf_counter() - first
        full = measure(stack, key, options.requests)
    print(f"{'':34}CPU ms  ratio")
    for name, value in (
        ("GET /livez", nothing),
        ("POST /api/v1/match/, empty bank", empty),
        (f"POST /api/v1/match/, {options.hashes:,}", full),
    ):
        print(f"{name:34}{value * 1000:6.2f}  {value / nothing:5.1f}")
    print(f"catching up with {options.hashes:,} new hashes: {caught_up:.1f} s")


def connection(stack: Stack) -> http.client.HTTPConnection:
    parts = urlsplit(stack.url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)


def ask(line: http.client.HTTPConnection, key: str) -> None:
    if not key:
        line.request("GET", "/livez")
    else:
        body = {"hashes": [{"signal_type": "pdq", "value": secrets.token_hex(32)}]}
        line.request(
            "POST",
            "/api/v1/match/",
            json.dumps(body),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
    answer = line.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{answer.status}: {text[:300]!r}")


def measure(stack: Stack, key: str, count: int) -> float:
    """CPU seconds of the web process and its workers for each request."""
    line = connection(stack)
    for _ in range(20):
        ask(line, key)
    before = cpu(stack)
    for _ in range(count):
        ask(line, key)
    return (cpu(stack) - before) / count


def cpu(stack: Stack) -> float:
    group = stack.processes["web"].pid
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


if __name__ == "__main__":
    main()
