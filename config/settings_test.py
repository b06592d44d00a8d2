"""The settings of the tests: the real ones, on one machine, with fast passwords."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("EMBEDDED", "1")
# A folder of its own for each test process, so that workers of one run and two runs never meet.
os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="nwmc-test-"))

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STORAGES, VAR_DIR

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["TEST"] = {"NAME": str(Path(VAR_DIR) / "test.sqlite3")}
WHITENOISE_AUTOREFRESH = True
