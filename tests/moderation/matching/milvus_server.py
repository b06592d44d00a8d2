"""A real Milvus on loopback, as its wheel brings it, with nothing in it."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import milvus

from tests.services.servers import free_port

SECONDS = 90


@contextmanager
def running(home: Path, programs: Path) -> Iterator[str]:
    """Its address. The wheel's programs are packed tight: once unpacked, they are kept for the next time."""
    (home / "bin").symlink_to(programs)
    milvus._initialize_data_files(str(home))
    port, health = configure(home), free_port()
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            [home / "bin" / "milvus", "run", "standalone"],
            cwd=home,
            env=environment(home, health),
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            wait_until_healthy(server, health)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()  # what it would save is thrown away


def configure(home: Path) -> int:
    config = milvus.MilvusServerConfig(data_dir=str(home))
    ports = [key for key in config.configurable_items if key.endswith("_port")]
    config.update(**{key: free_port() for key in ports})
    # How often a reader learns that it has seen all that was written: 5 times a second, if nobody says otherwise.
    config.set("proxy.timeTickInterval", 20)
    config.resolve()
    peer, client = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    (home / "etcd.yaml").write_text(
        f"name: default\n"
        f"listen-peer-urls: {peer}\n"
        f"initial-advertise-peer-urls: {peer}\n"
        f"initial-cluster: default={peer}\n"
        f"listen-client-urls: {client}\n"
        f"advertise-client-urls: {client}\n"
        f"unsafe-no-fsync: true\n"
    )
    return int(config.get("proxy_port"))


def environment(home: Path, health: int) -> dict[str, str]:
    return {
        **os.environ,
        "DEPLOY_MODE": "STANDALONE",
        "METRICS_PORT": str(health),
        "MILVUS_RUN_DIR": str(home / "run"),
        "ETCD_CONFIG_PATH": str(home / "etcd.yaml"),
        "LD_LIBRARY_PATH": str(home / "bin"),
    }


def wait_until_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                if b"OK" in answer.read():
                    return
        except (URLError, ConnectionError):
            pass
        time.sleep(0.05)
    raise AssertionError("Milvus does not start: see the file log in its folder.")
