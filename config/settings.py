"""Every setting. What differs between deployments comes from the environment; see .env.example.

Nothing set means production: the start-up stops with a sentence for each value that is missing or unsafe.
``EMBEDDED=1`` is the one-machine default for trying, developing and testing: it makes what is missing, under ``var/``.
"""

from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import env, logs, platforms
from config.database import database

BASE_DIR = Path(__file__).resolve().parent.parent
EMBEDDED = env.boolean("EMBEDDED")
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
_KEYS = VAR_DIR / "keys" if EMBEDDED else None

DEBUG = env.boolean("DEBUG")
REAL_CASES = env.boolean("REAL_CASES")
if DEBUG and not EMBEDDED:
    raise ImproperlyConfigured("DEBUG=1 is only for EMBEDDED=1.")

# Keys. One for each kind of datum, so that one leak is not all of them (threat model 3.2).
SECRET_KEY = env.secret("SECRET_KEY", keep_in=_KEYS).hex()
EVIDENCE_KEY = env.secret("EVIDENCE_KEY", keep_in=_KEYS)
BANK_KEY = env.secret("BANK_KEY", keep_in=_KEYS)
PIN_PEPPER = env.secret("PIN_PEPPER", keep_in=_KEYS)
# A Milvus server for banks that one machine cannot hold; without one they lie in files of each host.
MILVUS_URI = env.text("MILVUS_URI", "")
MILVUS_TOKEN = env.text("MILVUS_TOKEN", "")
MILVUS_CA_FILE = env.text("MILVUS_CA_FILE", "")
MILVUS_PREFIX = env.text("MILVUS_PREFIX", "nwmc")
# The banks as the processes of one host share them, in the clear: a file system in memory, never on a disk (T-24).
BANK_SNAPSHOT_DIR = Path(env.text("BANK_SNAPSHOT_DIR", str(VAR_DIR / "bank")))
if len({SECRET_KEY, EVIDENCE_KEY.hex(), BANK_KEY.hex(), PIN_PEPPER.hex()}) < 4:
    raise ImproperlyConfigured(
        "SECRET_KEY, EVIDENCE_KEY, BANK_KEY and PIN_PEPPER must be four different values."
    )

# Faces. Production runs one process per face, each on its own host name; "all" is for development.
FACE = env.text("FACE", "all" if EMBEDDED else None)
_FACES = {
    "hub": "config.urls_hub",
    "appeals": "config.urls_appeals",
    "staff": "config.urls_staff",
    "api": "config.urls_api",
    "all": "config.urls",
    "worker": "config.urls_none",
}
if FACE not in _FACES or (FACE == "all" and not EMBEDDED):
    raise ImproperlyConfigured(
        "FACE must be hub, appeals, staff, api or worker (all only with EMBEDDED=1)."
    )
ROOT_URLCONF = _FACES[FACE]
WSGI_APPLICATION = "config.wsgi.application"

_LOCAL = env.text("SITE_URL", "http://localhost:8000") if EMBEDDED else None
HUB_URL = env.text("HUB_URL", _LOCAL)
APPEALS_URL = env.text("APPEALS_URL", _LOCAL)
STAFF_URL = env.text("STAFF_URL", _LOCAL)
API_URL = env.text("API_URL", _LOCAL)
_URLS = {"hub": HUB_URL, "appeals": APPEALS_URL, "staff": STAFF_URL, "api": API_URL}
if not EMBEDDED:
    for _url in _URLS.values():
        if not _url.startswith("https://"):
            raise ImproperlyConfigured(f"{_url} must start with https://.")
    if len({_url.split("/")[2] for _url in _URLS.values()}) < 4:
        raise ImproperlyConfigured(
            "HUB_URL, APPEALS_URL, STAFF_URL and API_URL must be four different hosts."
        )
_ORIGINS = [_URLS[FACE]] if FACE in _URLS else list(_URLS.values())
CSRF_TRUSTED_ORIGINS = sorted(set(_ORIGINS))
ALLOWED_HOSTS = sorted({url.split("/")[2].split(":")[0] for url in _ORIGINS})
if EMBEDDED:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]

# The law and the people behind this installation: shown to the public, never guessed.
JURISDICTION = env.text("JURISDICTION", "ZZ" if EMBEDDED else None)
REPORTING_BODY = env.text(
    "REPORTING_BODY", "the hotline of your country" if EMBEDDED else None
)
LEGAL_CONTACT = env.text(
    "LEGAL_CONTACT", "legal@localhost.invalid" if EMBEDDED else None
)
SAFETY_CONTACT = env.text(
    "SAFETY_CONTACT", "safety@localhost.invalid" if EMBEDDED else None
)
DISPUTE_BODIES = env.text("DISPUTE_BODIES", "" if EMBEDDED else None) or _(
    "no body is named in this demonstration"
)
REMOVAL_HOURS = env.integer("REMOVAL_HOURS", 48)
APPEAL_DAYS = env.integer("APPEAL_DAYS", 183)
HISTORY_DAYS = env.integer("HISTORY_DAYS", 90)
UNFLAGGED_EVIDENCE_HOURS = env.integer("UNFLAGGED_EVIDENCE_HOURS", 24)
EXIT_URL = env.text("EXIT_URL", "https://www.wikipedia.org/")
# Where a proxy in front tells the visitor's address, as WSGI names the header (HTTP_X_REAL_IP); it must overwrite it.
CLIENT_ADDRESS_META = env.text("CLIENT_ADDRESS_META", "REMOTE_ADDR")

# Data
DATABASES = {
    "default": database(
        env.text(
            "DATABASE_URL",
            f"sqlite:///{VAR_DIR / 'db.sqlite3'}" if EMBEDDED else None,
        )
    )
}
if not EMBEDDED and "sqlite" in DATABASES["default"]["ENGINE"]:
    raise ImproperlyConfigured("Production needs PostgreSQL in DATABASE_URL.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL", "" if EMBEDDED else None)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": VAR_DIR / "cache",
    }
}

# Evidence: what leaves for storage is ciphertext already (moderation.storage).
EVIDENCE_BUCKET = env.text("EVIDENCE_BUCKET", "")
EVIDENCE_ENDPOINT = env.text("EVIDENCE_ENDPOINT", "")
STORAGES = {
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "files"},
    },
    "evidence": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": EVIDENCE_BUCKET,
            "endpoint_url": EVIDENCE_ENDPOINT or None,
            "file_overwrite": False,
            "querystring_auth": True,
            # boto3 >= 1.36 adds checksums that some S3-compatible servers refuse (django-storages#1482).
            "client_config": platforms.s3_config(),
        },
    }
    if EVIDENCE_BUCKET
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": VAR_DIR / "evidence",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}
if not EMBEDDED and not EVIDENCE_BUCKET:
    raise ImproperlyConfigured(
        "Set EVIDENCE_BUCKET: an S3-compatible bucket that holds the encrypted evidence."
    )
# A picture in a request must never touch the disk in the clear (T-09, T-46): memory only, or refused.
FILE_UPLOAD_HANDLERS = ["config.uploads.BoundedMemoryHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 50 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# Platforms and models
SANDBOX_DIR = VAR_DIR / "sandbox"
PLATFORMS = platforms.configured(
    env.text("PLATFORMS_FILE", ""), sandbox=SANDBOX_DIR if EMBEDDED else None
)
DECODER_ISOLATION_REQUIRED = REAL_CASES

# Apps
INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "moderation.apps.ModerationConfig",
    "victims.apps.VictimsConfig",
    "reviews.apps.ReviewsConfig",
    "appeals.apps.AppealsConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
]
MIDDLEWARE = [
    "config.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.FaceHeaders",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.BodyGate",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "config.middleware.SecondFactorRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.ContentPolicyByFace",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.public",
            ]
        },
    }
]

# Staff sign-in: name, passphrase, second factor. Nobody signs up.
AUTH_USER_MODEL = "moderation.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "config.accounts.StaffAccounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
# By account, never by address: addresses are not kept, and one shared limit would lock everybody out.
ACCOUNT_RATE_LIMITS = {
    "login": None,
    "login_failed": "5/300s/key",
    "reauthenticate": "10/m/user",
}
MFA_ADAPTER = "config.accounts.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "NWMC"
MFA_PASSKEY_LOGIN_ENABLED = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "reviews:queue"
LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
    },
]

# Sessions and cookies: each face its own cookie; the public ones end after a quiet quarter of an hour.
_STAFF = FACE == "staff"
SESSION_COOKIE_AGE = 30 * 60 if _STAFF or FACE == "all" else 15 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = (
    None  # gone with the browser's window: Django would keep it for a year
)
LANGUAGE_COOKIE_SAMESITE = "Strict"
LANGUAGE_COOKIE_HTTPONLY = True
_SECURE = not EMBEDDED
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _SECURE
_PREFIX = "__Host-" if _SECURE else ""
SESSION_COOKIE_NAME = f"{_PREFIX}s"
CSRF_COOKIE_NAME = f"{_PREFIX}c"
LANGUAGE_COOKIE_NAME = f"{_PREFIX}l"
SECURE_SSL_REDIRECT = _SECURE
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SECURE else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _SECURE
SECURE_HSTS_PRELOAD = _SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
# "no-referrer" would make browsers send "Origin: null", and the CSRF check would refuse every form (T-03).
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [NONE],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

# Languages: kept for the visit only.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish")), ("ur", _("Urdu"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

# The platform API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["moderation.access.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["moderation.access.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "moderation.errors.problem_json",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Not Without My Consent: the platform API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["moderation.api.documents.exact"],
}
# What one key may ask: a hash costs 1 token, a picture 10.
API_TOKENS_PER_SECOND = env.integer("API_TOKENS_PER_SECOND", 300)
API_TOKENS_BURST = env.integer("API_TOKENS_BURST", 3000)

# Celery: ids only, no results, the database is the queue of record.
CELERY_BROKER_URL = REDIS_URL or "safefs://localhost"
BROKER_DIR = VAR_DIR / "broker"
SWEEP_SECONDS = env.integer("SWEEP_SECONDS", 15)
# Of what a machine removes alone, the share that a person is asked about afterwards.
AUTOMATIC_SAMPLE_PERCENT = env.integer("AUTOMATIC_SAMPLE_PERCENT", 5)
WORK_STALE_SECONDS = env.integer("WORK_STALE_SECONDS", 300)

LOGGING_CONFIG = None
LOG_LEVEL = env.text("LOG_LEVEL", "INFO")
logs.configure(LOG_LEVEL)
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
