"""The platforms that are connected, their keys, and the accounts that post there."""

import hashlib
import hmac
import ipaddress
import json
import secrets
from datetime import datetime, timedelta
from typing import Self

from django.db import connection, models
from django.db.models import Q

_KEY = "hub"
KEY_LIFE = timedelta(days=365)


class PlatformQuerySet(models.QuerySet["Platform"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class Platform(models.Model):
    """A connected platform: what it may do, how it is reached, and from which score on it wants to hear."""

    alias = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True)
    # A near-nude score from here on raises a flag; nothing is ever removed by a score.
    flag_threshold = models.FloatField(default=0.6)
    holds_matches = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = PlatformQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(flag_threshold__gte=0, flag_threshold__lte=1),
                name="platform_threshold_0_to_1",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.alias}"


class Scope(models.TextChoices):
    """What a key may do. A key has no other right than those it names."""

    CONTENT_WRITE = "content:write", "Send content"
    CONTENT_READ = "content:read", "Read what became of sent content"
    MATCH_HASH = "match:hash", "Ask about a hash"
    MATCH_BYTES = "match:bytes", "Ask about a picture"
    MATCH_EVIDENCE = (
        "match:evidence",
        "See bank and distance (the operator's own services)",
    )
    BANK_READ = "bank:read", "See one's own banks and what is in them"
    BANK_WRITE = "bank:write", "Change one's own banks"
    BANK_OPINION = "bank:opinion", "Say whether a match was right"
    EXCHANGE_READ = "exchange:read", "Read the shared list (named partners)"
    EXCHANGE_WRITE = "exchange:write", "Add to one's own shared list"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self, now: datetime) -> Self:
        return self.filter(
            revoked_at__isnull=True, expires_at__gt=now, platform__is_active=True
        )


class ApiKey(models.Model):
    """A platform's key: only its SHA-256 is kept. The raw key is shown once: ``hub_<prefix>_<43 characters>``."""

    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="keys"
    )
    prefix = models.CharField(max_length=12, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    # Where it may be used from (CIDR); from anywhere if there is none.
    networks = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")),
                name="api_key_expires_after_creation",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__lte=models.F("created_at") + KEY_LIFE),
                name="api_key_expires_within_a_year",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.prefix}"

    @staticmethod
    def new_secret() -> tuple[str, str, str]:
        """Prefix, SHA-256 of the secret, and the raw key to show once."""
        prefix = secrets.token_hex(6)
        secret = secrets.token_urlsafe(32)
        return prefix, _digest(secret), f"{_KEY}_{prefix}_{secret}"

    @classmethod
    def find(cls, prefix: str, now: datetime) -> "ApiKey | None":
        """The live key with this prefix and its platform, as committed by now; what a request seldom needs comes later.

        By a statement of our own: composing the query anew cost a fifth of a whole look-up.
        """
        at = connection.ops.adapt_datetimefield_value(now)
        with connection.cursor() as cursor:
            cursor.execute(_FIND, [prefix, at])
            row = cursor.fetchone()
        if row is None:
            return None
        *own, scopes, networks, platform_id, alias = row
        lists = [json.loads(text) for text in (scopes, networks)]
        key = cls.from_db(
            connection.alias, _FOUND, [own[0], platform_id, *own[1:], *lists]
        )
        key.platform = Platform.from_db(
            connection.alias, ["id", "alias"], [platform_id, alias]
        )
        return key

    @staticmethod
    def split(raw: str) -> tuple[str, str] | None:
        parts = raw.split("_", 2)
        if len(parts) != 3 or parts[0] != _KEY or len(parts[1]) != 12:
            return None
        return parts[1], parts[2]

    def opens_with(self, secret: str) -> bool:
        return hmac.compare_digest(self.secret_sha256, _digest(secret))

    def allows(self, scope: str) -> bool:
        return scope in self.scopes

    def works_from(self, address: str) -> bool:
        """Whether a caller with this IP address may use it; an address that is none may not, if networks are named."""
        if not self.networks:
            return True
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        caller = getattr(caller, "ipv4_mapped", None) or caller
        return any(caller in ipaddress.ip_network(one) for one in self.networks)


# In the order of the model's fields, as ``from_db`` takes them.
_FOUND = ["id", "platform_id", "prefix", "secret_sha256", "scopes", "networks"]
_FIND = """
    SELECT one.id, prefix, secret_sha256, scopes, networks, platform.id, alias
    FROM moderation_apikey one JOIN moderation_platform platform ON platform.id = platform_id
    WHERE prefix = %s AND revoked_at IS NULL AND expires_at > %s AND is_active"""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class KeyBudget(models.Model):
    """What a key has used of its allowance: a token bucket in one row, spent in one statement.

    ``full_at`` is the moment, in seconds since 1970, at which the bucket will be full again.
    """

    key = models.OneToOneField(
        ApiKey, on_delete=models.CASCADE, primary_key=True, related_name="budget"
    )
    full_at = models.FloatField()

    def __str__(self) -> str:
        return f"#{self.pk}"

    @classmethod
    def spend(
        cls, key: ApiKey, *, cost: float, rate: float, burst: float, now: datetime
    ) -> float:
        """Take ``cost`` tokens of a bucket that holds ``burst`` and gains ``rate`` a second.

        :returns: 0 if they were taken; otherwise nothing was, and this is how many seconds to wait.
        """
        # In SQL, not in the cache: with a counter that is read and then written, 4 processes let 159 of 50 through.
        at = now.timestamp()
        takes, holds = min(cost, burst) / rate, burst / rate
        table = connection.ops.quote_name(cls._meta.db_table)
        from_ = f"CASE WHEN {table}.full_at > %s THEN {table}.full_at ELSE %s END + %s"
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key_id, full_at) VALUES (%s, %s)"  # noqa: S608 (our own table's name)
                f" ON CONFLICT (key_id) DO UPDATE SET full_at = {from_}"
                f" WHERE {from_} <= %s RETURNING full_at",
                # Half a token of room: a float of this size is exact to a quarter of a microsecond.
                [key.pk, at + takes, *[at, at, takes] * 2, at + holds + 0.5 / rate],
            )
            if cursor.fetchone():
                return 0.0
        full_at = cls.objects.get(pk=key.pk).full_at
        return max(float(full_at + takes - holds - at), 0.001)


class ProbeMark(models.Model):
    """That a key asked about something which a banked fingerprint matched: twenty different ones a day are a probe.

    ``mark`` is keyed by the key and the fingerprint: equal for an equal question, and worth nothing to anybody else.
    Kept for a day (T-12).
    """

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="marks")
    fingerprint = models.CharField(max_length=32)
    mark = models.CharField(max_length=32)
    asked_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "fingerprint", "mark"], name="probe_mark_once"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ProbeAlarm(models.Model):
    """When a key was last seen probing a fingerprint: at most one alarm a day for each key."""

    key = models.OneToOneField(
        ApiKey, on_delete=models.CASCADE, primary_key=True, related_name="probe_alarm"
    )
    raised_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"#{self.pk}"


class PlatformAccount(models.Model):
    """Who posted, as the platform names them. No person's name is asked for."""

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        DISABLED = "DISABLED", "Disabled"

    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="accounts"
    )
    external_id = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    language = models.CharField(max_length=12, default="en")
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "external_id"], name="account_once_per_platform"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["ACTIVE", "DISABLED"]),
                name="account_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
