"""What asking costs over HTTP, with two server processes: requests a second, CPU milliseconds for each, and freshness.

``python -m benchmarks.lookup [--hashes 100000] [--requests 1000]`` starts an installation of its own. All rows are of
one run, and each is also given as a multiple of /livez, which does nothing: on a busy machine only that compares. The
CPU is that of the server, its two processes and all decoders; the asking side is not in it.
"""

import argparse
import http.client
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.photo import PHOTOS, photo
from config.stack import Stack, running

PROCESSES = 2
CLIENTS = 4
BANK = "facebook-benchmark"
SCOPES = ("match:hash", "match:bytes", "bank:write")
_BOUNDARY = "benchmark"
_FILL = """
import numpy as np
from django.utils import timezone
from moderation.models import HashBank, Platform
from moderation.services import NewHash, bank_hashes
from moderation.services.banks import open_bank, source_of
now, dice = timezone.now(), np.random.default_rng(1)
platform = Platform.objects.get(alias="facebook")
bank = open_bank(platform=platform, slug="{bank}", name="Benchmark", now=now)
halves = np.tile(np.array([0, 1], np.uint8), (1000, 128))
for start in range(0, {count}, 1000):
    values = np.packbits(dice.permuted(halves, axis=1), axis=1)[:{count} - start]
    hashes = [NewHash("pdq", value.tobytes(), None, source_of(bank)) for value in values]
    bank_hashes(bank=bank, hashes=hashes, actor="benchmark", now=now)
"""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes = b""
    type: str = "application/json"


Maker = Callable[[], Request]


class Client:
    """One connection that is kept."""

    def __init__(self, stack: Stack, key: str) -> None:
        parts = urlsplit(stack.url)
        self._line = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=120
        )
        self._key = key

    def ask(self, request: Request) -> bytes:
        """
        :raises SystemExit: for any answer but 200 and 201.
        """
        self._line.request(
            request.method,
            request.path,
            request.body or None,
            {"Authorization": f"Bearer {self._key}", "Content-Type": request.type},
        )
        answer = self._line.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{request.path}: {answer.status}: {text[:300]!r}")
        return text


def livez() -> Request:
    return Request("GET", "/livez")


def one_hash(value: bytes = b"") -> Request:
    asked = {"signal_type": "pdq", "value": (value or secrets.token_bytes(32)).hex()}
    return Request("POST", "/api/v1/match/", json.dumps({"hashes": [asked]}).encode())


def picture(data: bytes) -> Request:
    head = (
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name=media; filename=p\r\n"
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    return Request("POST", "/api/v1/match/", body, kind)


def added(value: bytes) -> Request:
    entries = [{"signal_type": "pdq", "value": value.hex()}]
    body = {"bank": BANK, "fingerprints": entries}
    return Request("POST", "/api/v1/fingerprints/", json.dumps(body).encode())


def measure(
    stack: Stack, clients: list[Client], make: Maker, count: int
) -> tuple[float, float]:
    """Requests a second with all clients at once, and the server's CPU seconds for each."""

    def some(client: Client) -> None:
        for _ in range(count // len(clients)):
            client.ask(make())

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(lambda client: [client.ask(make()) for _ in range(5)], clients))
        work, wall = cpu(stack), time.perf_counter()
        list(pool.map(some, clients))
        wall = time.perf_counter() - wall
    return count / wall, (cpu(stack) - work) / count


def cpu(stack: Stack) -> float:
    """CPU seconds of the server and all that it started, those that have ended too."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        number = int(path.parent.name)
        parents[number] = int(fields[1])
        spent[number] = sum(int(one) for one in fields[11:15])
    ours = {stack.processes["web"].pid}
    while more := {one for one, up in parents.items() if up in ours} - ours:
        ours |= more
    return sum(spent.get(one, 0) for one in ours) / os.sysconf("SC_CLK_TCK")


def freshness(clients: list[Client], rounds: int) -> tuple[int, float]:
    """Each fingerprint that was added is asked for by the next request of every connection.

    :returns: how many of these did not match, and the seconds from an added fingerprint's answer to the first match.
    """
    missed, lags = 0, []
    for _ in range(rounds):
        bits = random.sample(range(256), 128)
        value = sum(1 << bit for bit in bits).to_bytes(32, "big")
        clients[0].ask(added(value))
        began = time.perf_counter()
        for place, client in enumerate(clients):
            missed += b'"hold"' not in client.ask(one_hash(value))
            if not place:
                lags.append(time.perf_counter() - began)
    return missed, sorted(lags)[len(lags) // 2]


@contextmanager
def installation() -> Iterator[Stack]:
    """Without worker and beat, with ``PROCESSES`` server processes and a key that may ask as often as it likes."""
    much = str(10**6)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            Path(folder),
            SWEEP_SECONDS="600",
            API_TOKENS_PER_SECOND=much,
            API_TOKENS_BURST=much,
        ) as stack,
    ):
        for name in ("worker", "beat", "web"):
            stack.kill(name)
        serve(stack, Path(folder))
        yield stack


def serve(stack: Stack, folder: Path) -> None:
    port = stack.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", port]
    command += ["--workers", str(PROCESSES), "--blocking-threads", "1", "--no-ws"]
    with (folder / "web.log").open("ab") as log:
        stack.processes["web"] = subprocess.Popen(  # noqa: S603 (our own command line)
            [*command, "--log-level", "warning", "config.wsgi:application"],
            env=dict(stack.environment),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    stack.wait_until_ready()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hashes", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=1000)
    options = parser.parse_args()
    hashes, count = f"{options.hashes:,}", options.requests
    with installation() as stack:
        scopes = [part for scope in SCOPES for part in ("--scope", scope)]
        key = stack.manage("make_key", "facebook", *scopes).strip()
        clients = [Client(stack, key) for _ in range(CLIENTS)]
        rows = {"GET /livez": measure(stack, clients, livez, count)}
        rows["a hash, empty bank"] = measure(stack, clients, one_hash, count)
        fill = _FILL.format(bank=BANK, count=options.hashes)
        stack.manage("shell", "-v", "0", "-c", fill)
        clients = [
            Client(stack, key) for _ in range(CLIENTS)
        ]  # the old lines went idle
        began = time.perf_counter()
        clients[0].ask(one_hash())
        caught_up = time.perf_counter() - began
        rows[f"a hash, {hashes}"] = measure(stack, clients, one_hash, count)
        for name, size in PHOTOS.items():
            sent = picture(photo(size))
            title = f"a photo, {name}, {len(sent.body) / 1e6:.1f} MB, {hashes}"
            rows[title] = measure(stack, clients, lambda sent=sent: sent, count // 20)  # type: ignore[misc]
        missed, lag = freshness(clients, 50)
    show(rows)
    print(f"catching up with {hashes} new hashes: {caught_up:.1f} s")
    print(f"added, then asked by {CLIENTS} connections, 50 times: {missed} missed, ")
    print(f"the next request answered after {lag * 1000:.1f} ms (median)")


def show(rows: dict[str, tuple[float, float]]) -> None:
    unit = rows["GET /livez"][1]
    print(
        f"{f'{PROCESSES} processes':40}{'a second':>10}{'CPU ms':>10}{'x /livez':>10}"
    )
    for name, (rate, work) in rows.items():
        print(f"{name:40}{rate:10.0f}{work * 1000:10.2f}{work / unit:10.1f}")


if __name__ == "__main__":
    main()
