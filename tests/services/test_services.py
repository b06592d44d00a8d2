"""The stage that `make test` plays on: it starts, stops, and says what it lacks."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from tests.services import provide, servers

PRINT_URLS = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"


def stage(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.services.run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


class TestServers:
    def test_answer_while_they_are_wanted_and_not_afterwards(self) -> None:
        with servers.postgres() as database_url, servers.redis() as redis_url:
            with psycopg.connect(database_url) as connection:
                assert connection.execute("SHOW fsync").fetchone() == ("off",)
            with redis.Redis.from_url(redis_url) as client:
                assert client.ping()

        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(database_url)
        with (
            redis.Redis.from_url(redis_url) as client,
            pytest.raises(redis.ConnectionError),
        ):
            client.ping()

    def test_let_nobody_in_without_the_password(self) -> None:
        with servers.postgres() as url, pytest.raises(psycopg.OperationalError):
            psycopg.connect(url, password="another")

    def test_postgresql_also_comes_from_the_development_lock(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(provide, "system_postgres", lambda: None)

        with (
            servers.postgres() as database_url,
            psycopg.connect(database_url) as connection,
        ):
            assert connection.info.server_version >= 180000


class TestTheStage:
    def test_stops_its_servers_and_passes_on_the_failure(self) -> None:
        script = f"{PRINT_URLS}; raise SystemExit(3)"

        done = stage("--production", "--", sys.executable, "-c", script)

        assert done.returncode == 3
        database_url, redis_url = done.stdout.split()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(database_url)
        assert redis_url.startswith("redis://")

    def test_takes_its_temporary_files_with_it(self) -> None:
        script = "import tempfile; print(tempfile.mkdtemp())"

        done = stage("--", sys.executable, "-c", script)

        assert done.returncode == 0
        assert not Path(done.stdout.strip()).exists()


class TestProviding:
    def test_names_what_cannot_be_had_and_fails(self) -> None:
        environment = {**os.environ, "PATH": "/nonexistent", "CHROMIUM": ""}

        done = subprocess.run(
            [sys.executable, "-m", "tests.services.provide"],
            env=environment, capture_output=True, text=True,
        )  # fmt: skip

        assert done.returncode == 1
        assert "The tests need Redis" in done.stderr
        assert "apt-get install redis-server" in done.stderr


def pytest_run(folder: Path, source: str, *arguments: str) -> tuple[int, str]:
    """Run pytest on one file, with none of the installed plugins."""
    test = folder / "test_one.py"
    test.write_text(source)
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, str(test), *arguments]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


class TestSkippedTests:
    @pytest.mark.parametrize(
        ("body", "status"), [("pass", 0), ("__import__('pytest').skip('no')", 1)]
    )
    def test_fail_the_run(self, tmp_path: Path, body: str, status: int) -> None:
        source = f"def test_one():\n    {body}\n"

        code, _ = pytest_run(tmp_path, source, "-p", "tests.services.nothing_skipped")

        assert code == status


class TestTheRunOnServices:
    def test_repeats_what_touches_the_database_only(self, tmp_path: Path) -> None:
        source = """
import pytest

@pytest.fixture
def db(): pass

@pytest.fixture
def reviewer(db): pass

@pytest.mark.django_db
def test_marked(): pass

def test_through_a_fixture(reviewer): pass

@pytest.mark.services
def test_with_redis(): pass

@pytest.mark.browser
def test_looks(reviewer): pass

@pytest.mark.browser
@pytest.mark.services
def test_the_walk(reviewer): pass

def test_pure(): pass
"""
        plugin = ("-p", "tests.services.on_database", "--collect-only", "-q")

        _, output = pytest_run(tmp_path, source, *plugin)

        found = [line.split("::")[1] for line in output.splitlines() if "::" in line]
        assert found == [
            "test_marked",
            "test_through_a_fixture",
            "test_with_redis",
            "test_the_walk",
        ]
