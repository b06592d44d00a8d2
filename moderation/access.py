"""Who asks, and what they may ask: the key names the platform and its scopes, the database counts its calls.

This module is named in the settings, so it imports nothing that needs them to be read already.
"""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from moderation.models import (
    ApiKey,
    BankedHash,
    Content,
    HashBank,
    KeyBudget,
    Platform,
)

if TYPE_CHECKING:
    from rest_framework.views import APIView

_log = structlog.get_logger(__name__)
_PREFIX = re.compile(r"[0-9a-f]{12}")
# One answer for all, so that whoever stole a key does not learn what is wrong with it.
_UNKNOWN = "This key is unknown, expired or revoked, or may not be used from here."


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer hub_<prefix>_<secret>``. Read from the database at each request: revoked is revoked."""

    def authenticate(self, request: Request) -> tuple[Platform, ApiKey] | None:
        header = get_authorization_header(request).decode("latin-1")
        if not header:
            return None
        scheme, _, raw = header.partition(" ")
        return admitted(request, raw.strip() if scheme.lower() == "bearer" else "")

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def admitted(request: Request, raw: str) -> tuple[Platform, ApiKey]:
    """The key itself, whatever header it came in.

    :raises rest_framework.exceptions.AuthenticationFailed: if it is none that may be used here and now.
    """
    key = _live_key(raw, timezone.now())
    if key is None:
        _log.warning("api_key_refused")
        raise exceptions.AuthenticationFailed(_UNKNOWN)
    if not key.works_from(address_of(request)):
        _log.error("api_key_elsewhere", platform=key.platform_id)
        raise exceptions.AuthenticationFailed(_UNKNOWN)
    return key.platform, key


def address_of(request: Request) -> str:
    """The caller's address as this installation learns it (CLIENT_ADDRESS_META); compared, kept nowhere."""
    return str(request.META.get(settings.CLIENT_ADDRESS_META, "")).strip()


def _live_key(raw: str, now: datetime) -> ApiKey | None:
    parts = ApiKey.split(raw)
    if parts is None or not _PREFIX.fullmatch(parts[0]):
        return None
    prefix, secret = parts
    key = ApiKey.find(prefix, now)
    return key if key and key.opens_with(secret) else None


class HasScope(BasePermission):
    """The key must name the scope that the view asks for; a view that asks for none is closed."""

    message = "This key does not have the scope that this route needs."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        scope_of = getattr(view, "scope_of", None)
        if scope_of is None or request.auth is None:
            return False
        return cast(ApiKey, request.auth).allows(scope_of(request))


class HasKey(BasePermission):
    """Any live key; on a machine for trying and developing, anybody (T-34)."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.auth is not None or bool(settings.EMBEDDED)


class KeyBudgetThrottle(BaseThrottle):
    """Counts ``view.cost`` against the key, exactly, whatever number of processes serve it (T-30)."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        cost: int = view.cost  # type: ignore[attr-defined]
        spend(cast(ApiKey, request.auth), cost, timezone.now())
        return True


def spend(key: ApiKey, cost: float, now: datetime) -> None:
    """
    :raises rest_framework.exceptions.Throttled: if the key has used up its allowance.
    """
    if cost <= 0:
        return
    rate, burst = settings.API_TOKENS_PER_SECOND, settings.API_TOKENS_BURST
    wait = KeyBudget.spend(key, cost=cost, rate=rate, burst=burst, now=now)
    if wait:
        raise exceptions.Throttled(wait)


def content_for(key: ApiKey, external_id: str) -> Content:
    """The platform's own content.

    :raises Http404: also for another platform's content: nobody learns that it exists.
    """
    own: Any = Content.objects.filter(platform=key.platform)
    content: Content = get_object_or_404(own, external_id=external_id)
    return content


def banks_of(key: ApiKey) -> QuerySet[HashBank]:
    """The platform's own banks; the house's, and those of others, are not there for it."""
    return HashBank.objects.filter(owner=key.platform, kind=HashBank.Kind.PARTNER)


def bank_for(key: ApiKey, slug: str) -> HashBank:
    """
    :raises Http404: also for the house's banks and for another platform's.
    """
    bank: HashBank = get_object_or_404(banks_of(key), slug=slug)
    return bank


def hash_for(key: ApiKey, public_id: str) -> BankedHash:
    """A live fingerprint in a bank of the platform's own.

    :raises Http404: for any other.
    """
    rows = BankedHash.objects.live().select_related("bank")
    row: BankedHash = get_object_or_404(
        rows.filter(bank__in=banks_of(key)), public_id=public_id
    )
    return row


def any_hash(public_id: str) -> BankedHash:
    """Any live fingerprint. Its id is 128 random bits that are only told as evidence, so who knows it was shown it.

    :raises Http404: if there is none, or no longer.
    """
    row: BankedHash = get_object_or_404(BankedHash.objects.live(), public_id=public_id)
    return row
