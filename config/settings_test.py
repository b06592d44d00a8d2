"""The settings of the tests: the real ones, on one machine, with fast passwords."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

os.environ.setdefault("EMBEDDED", "1")
# A folder and a Redis database of its own for each test process: two workers or two runs never meet.
_FOLDER = tempfile.mkdtemp(prefix="nwmc-test-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
os.environ["VAR_DIR"] = _FOLDER
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
if os.environ.get("REDIS_URL"):
    _REDIS = urlsplit(os.environ["REDIS_URL"])
    os.environ["REDIS_URL"] = _REDIS._replace(path=f"/{10 + int(_WORKER)}").geturl()

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, STORAGES, VAR_DIR  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["TEST"] = {"NAME": str(Path(VAR_DIR) / "test.sqlite3")}
WHITENOISE_AUTOREFRESH = True
