"""Production starts only with everything it needs; the embedded default needs nothing."""

import base64
import os
import runpy
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

HOME = Path(__file__).resolve().parent.parent.parent


def key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def production() -> dict[str, str]:
    return {
        "FACE": "hub",
        "SECRET_KEY": key(),
        "EVIDENCE_KEY": key(),
        "BANK_KEY": key(),
        "PIN_PEPPER": key(),
        "DATABASE_URL": "postgres://hub:pw@db.internal/nwmc?sslmode=verify-full",
        "REDIS_URL": "rediss://:pw@redis.internal/0",
        "HUB_URL": "https://help.example.org",
        "APPEALS_URL": "https://again.example.org",
        "STAFF_URL": "https://staff.example.org",
        "API_URL": "https://api.example.org",
        "JURISDICTION": "IE",
        "REPORTING_BODY": "Hotline.ie",
        "LEGAL_CONTACT": "legal@example.org",
        "SAFETY_CONTACT": "safety@example.org",
        "DISPUTE_BODIES": "Appeals Centre Europe",
        "EVIDENCE_BUCKET": "evidence",
    }


def load(monkeypatch, environment: dict[str, str]) -> dict[str, object]:
    for name in list(os.environ):
        if name.isupper() and name not in ("PATH", "HOME", "LANG", "TMPDIR"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(HOME / "config" / "settings.py"))


class TestProduction:
    def test_starts_with_everything_set(self, monkeypatch):
        found = load(monkeypatch, production())

        assert found["DEBUG"] is False
        assert found["ROOT_URLCONF"] == "config.urls_hub"
        assert found["ALLOWED_HOSTS"] == ["help.example.org"]
        assert found["SESSION_COOKIE_NAME"].startswith("__Host-")
        assert found["SECURE_HSTS_SECONDS"] == 31536000

    @pytest.mark.parametrize("name", sorted(production()))
    def test_refuses_to_start_when_a_value_is_missing(self, monkeypatch, name):
        environment = production()
        del environment[name]

        with pytest.raises(ImproperlyConfigured, match=r".") as refusal:
            load(monkeypatch, environment)
        assert name in str(refusal.value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SECRET_KEY", "change-me"),
            ("SECRET_KEY", base64.b64encode(b"short").decode()),
            ("EVIDENCE_KEY", base64.b64encode(bytes(32)).decode()),
            ("PIN_PEPPER", "not base64!"),
            ("DATABASE_URL", "sqlite:///x.sqlite3"),
            ("DATABASE_URL", "mysql://x"),
            ("HUB_URL", "http://help.example.org"),
            ("APPEALS_URL", "https://help.example.org"),
            ("FACE", "all"),
            ("FACE", "nonsense"),
            ("DEBUG", "1"),
            ("DEBUG", "perhaps"),
            ("REMOVAL_HOURS", "two days"),
            ("PLATFORMS_FILE", "/nowhere/platforms.json"),
            ("SECRET_KEY_FILE", "/nowhere/secret"),
        ],
    )
    def test_refuses_to_start_with_an_unsafe_value(self, monkeypatch, name, value):
        with pytest.raises(ImproperlyConfigured):
            load(monkeypatch, production() | {name: value})

    def test_refuses_one_key_for_two_purposes(self, monkeypatch):
        same = key()

        with pytest.raises(ImproperlyConfigured, match="four different"):
            load(monkeypatch, production() | {"BANK_KEY": same, "EVIDENCE_KEY": same})

    def test_reads_a_secret_from_a_file(self, monkeypatch, tmp_path):
        environment = production()
        secret = tmp_path / "pepper"
        secret.write_text(environment.pop("PIN_PEPPER") + "\n")
        environment["PIN_PEPPER_FILE"] = str(secret)

        assert len(load(monkeypatch, environment)["PIN_PEPPER"]) == 32

    def test_passes_djangos_deployment_check_on_every_face(self):
        for face in ("hub", "appeals", "staff", "api", "worker"):
            done = subprocess.run(
                [
                    sys.executable,
                    "manage.py",
                    "check",
                    "--deploy",
                    "--fail-level",
                    "WARNING",
                ],
                cwd=HOME,
                env={"PATH": os.environ["PATH"]} | production() | {"FACE": face},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{face}: {done.stderr}"


class TestTheEmbeddedDefault:
    def test_needs_nothing_and_keeps_its_keys_to_itself(self, monkeypatch, tmp_path):
        environment = {"EMBEDDED": "1", "VAR_DIR": str(tmp_path)}

        first = load(monkeypatch, environment)
        second = load(monkeypatch, environment)

        assert first["SECRET_KEY"] == second["SECRET_KEY"]
        for file in (tmp_path / "keys").iterdir():
            assert file.stat().st_mode & 0o077 == 0

    def test_refuses_real_cases(self, tmp_path):
        done = subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=HOME,
            env={
                "PATH": os.environ["PATH"],
                "EMBEDDED": "1",
                "REAL_CASES": "1",
                "VAR_DIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert "security.E001" in done.stderr
        assert "security.E002" in done.stderr
