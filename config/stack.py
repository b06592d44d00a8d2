"""Web, worker and beat as real processes on a free port, for the demo and for tests; stopped whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_HOME = Path(__file__).resolve().parent.parent
_START_SECONDS = 60


class StackError(Exception):
    """A process of the stack did not start."""


@dataclass
class Stack:
    """A running installation. ``processes`` by name, so that a test can kill one."""

    url: str
    environment: Mapping[str, str]
    logs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def manage(self, *arguments: str) -> str:
        """Run a management command in this installation's environment; its standard output.

        :raises StackError: with what it wrote, if it fails.
        """
        done = subprocess.run(  # noqa: S603 (our own command line)
            [sys.executable, "manage.py", *arguments],
            cwd=_HOME,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(f"manage.py {arguments[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def start(self, name: str) -> None:
        port = self.url.rsplit(":", 1)[1]
        with (self.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603
                _commands(port)[name],
                cwd=_HOME,
                env=dict(self.environment),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """SIGKILL, to the process and all its children: nothing gets to tidy up."""
        process = self.processes.pop(name)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.processes["web"].poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):  # noqa: S310
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        log = (self.logs / "web.log").read_text(errors="replace")
        raise StackError(f"The web process did not start: {log[-2000:]}")

    def stop(self) -> None:
        """Without waiting for a farewell: nothing here outlives the installation."""
        for name in list(self.processes):
            self.kill(name)


@contextmanager
def running(folder: Path, **more: str) -> Iterator[Stack]:
    """An installation in ``folder`` (EMBEDDED unless ``more`` names PostgreSQL and Redis), with demo data."""
    port = _free_port()
    url = f"http://localhost:{port}"
    clean = {
        key: value
        for key, value in os.environ.items()
        if key in ("PATH", "HOME", "LANG", "TMPDIR") or key.startswith("OPENBLAS")
    }
    environment = clean | {
        "EMBEDDED": "1",
        "VAR_DIR": str(folder),
        "SITE_URL": url,
        "SWEEP_SECONDS": "2",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **more,
    }
    folder.mkdir(parents=True, exist_ok=True)
    stack = Stack(url, environment, folder)
    with ThreadPoolExecutor() as both:
        static = both.submit(
            stack.manage, "collectstatic", "--no-input", "--verbosity", "0"
        )
        stack.manage("migrate", "--verbosity", "0")
        stack.manage("setup_demo", "--quiet")
    static.result()
    try:
        for name in ("web", "worker", "beat"):
            stack.start(name)
        stack.wait_until_ready()
        yield stack
    finally:
        stack.stop()


def _commands(port: str) -> dict[str, list[str]]:
    # Without the banner, which names the broker.
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "config"]
    quiet = ["--loglevel", "warning"]
    return {
        "web": [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--port", port, "--workers", "1",
            "--blocking-threads", "4", "--no-ws", "--log-level", "warning", "config.wsgi:application",
        ],
        "worker": [*celery, "worker", "-c", "2", "-O", "fair", "--without-gossip", "--without-mingle", *quiet],
        "beat": [*celery, "beat", *quiet],
    }  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
