"""The same key in the headers that the field's clients send. It is checked as everywhere."""

import base64
import binascii

from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request

from moderation.access import ApiKeyAuthentication, admitted
from moderation.models import ApiKey, Platform


class FunctionKeys(ApiKeyAuthentication):
    """``x-functions-key`` names the key and ``Ocp-Apim-Subscription-Key`` proves it; each may also hold the whole key.

    So an operator may write ``hub_<prefix>`` and the secret, or paste the key as it is into both.
    """

    def authenticate(self, request: Request) -> tuple[Platform, ApiKey] | None:
        named = request.META.get("HTTP_X_FUNCTIONS_KEY", "").strip()
        proof = request.META.get("HTTP_OCP_APIM_SUBSCRIPTION_KEY", "").strip()
        if named or proof:
            return admitted(request, _whole(named, proof))
        return super().authenticate(request)


def _whole(named: str, proof: str) -> str:
    """Empty if the two are not halves of one key."""
    prefix, _, secret = named.removeprefix("hub_").partition("_")
    whole = proof if proof.startswith("hub_") else f"hub_{prefix}_{proof}"
    parts = ApiKey.split(whole)
    agree = parts is not None and parts[0] == prefix and secret in ("", parts[1])
    return whole if agree else ""


class BasicKey(ApiKeyAuthentication):
    """HTTP Basic: any user name, and the key as the password."""

    def authenticate(self, request: Request) -> tuple[Platform, ApiKey] | None:
        scheme, _, told = get_authorization_header(request).partition(b" ")
        if scheme.lower() == b"basic":
            return admitted(request, _password(told))
        return super().authenticate(request)

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="exchange"'


def _password(told: bytes) -> str:
    try:
        pair = base64.b64decode(told.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return pair.partition(":")[2]
