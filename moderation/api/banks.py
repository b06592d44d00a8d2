"""A platform's own banks: opened, read, changed and closed."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from moderation import access
from moderation.api import examples
from moderation.api.once import ONCE, once
from moderation.api.view import BankView, checked, problems
from moderation.models import HashBank
from moderation.serializers import (
    BankChangeIn,
    BankIn,
    BankOut,
    BanksOut,
    ClosingOut,
    OneBankOut,
)
from moderation.services import banks

SLUG = OpenApiParameter(
    "slug",
    {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
    OpenApiParameter.PATH,
)


class Banks(BankView):
    @extend_schema(
        operation_id="list_banks",
        examples=examples.BANKS,
        responses={200: BanksOut, **problems()},
    )
    def get(self, request: Request) -> Response:
        """Your own banks."""
        own = access.banks_of(self.request.auth).order_by("slug")
        return Response({"banks": [_bank(bank) for bank in own]})

    @extend_schema(
        operation_id="open_bank",
        examples=examples.OPEN,
        parameters=[ONCE],
        request={"application/json": BankIn},
        responses={201: BankOut, **problems(400, 409, 413, 415, 422)},
    )
    @once
    def post(self, request: Request) -> Response:
        """Open a bank of your own. What matches it is held for people to look at, on every connected platform."""
        data = checked(BankIn, request)
        platform = self.request.auth.platform
        bank = banks.open_bank(platform=platform, now=timezone.now(), **data)
        return Response(_bank(bank), status=201)


class OneBank(BankView):
    @extend_schema(
        operation_id="read_bank",
        examples=examples.BANK,
        parameters=[SLUG],
        responses={200: OneBankOut, **problems(404)},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read a bank of your own."""
        bank = access.bank_for(self.request.auth, slug)
        return Response({**_bank(bank), "hash_count": bank.hashes.live().count()})

    @extend_schema(
        operation_id="change_bank",
        examples=examples.CHANGE,
        parameters=[SLUG],
        request={"application/json": BankChangeIn},
        responses={200: BankOut, **problems(400, 404, 413, 415, 422)},
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change a bank of your own. It holds from the very next request on."""
        key = self.request.auth
        bank = access.bank_for(key, slug)
        changes = checked(BankChangeIn, request)
        bank = banks.change_bank(bank=bank, platform=key.platform, changes=changes)
        return Response(_bank(bank))

    @extend_schema(
        operation_id="close_bank",
        examples=examples.CLOSE,
        parameters=[SLUG],
        responses={202: ClosingOut, 204: None, **problems(404)},
    )
    def delete(self, request: Request, slug: str) -> Response:
        """Close a bank of your own and withdraw all that is in it.

        Nothing is matched with it from the very next request on. A large one takes more than one call: 202 says how
        many fingerprints are left; send the same again until you get 204.
        """
        key = self.request.auth
        left = banks.close_bank(
            bank=access.bank_for(key, slug), platform=key.platform, now=timezone.now()
        )
        return Response({"left": left}, 202) if left else Response(status=204)


def _bank(bank: HashBank) -> dict[str, Any]:
    return {
        "slug": bank.slug,
        "name": bank.name,
        "threshold": bank.threshold,
        "review_threshold": bank.review_threshold,
        "is_enabled": bank.is_enabled,
        "enabled_percent": bank.enabled_percent,
        "created_at": bank.created_at,
    }
