"""Addresses, forms and states that several tests of appeals use."""

import re
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from appeals.models import Appeal, AppealClaim
from moderation.models import AuditEntry, Evidence, Notice
from moderation.storage import store_file
from reviews.models import AppealGrant
from tests.factories import NOW

QUEUE = "/staff/appeals/"
NEXT = f"{QUEUE}next/"
AS_PICTURE = {"sec-fetch-site": "same-origin", "sec-fetch-dest": "image"}
RAW = "a" * 43
DECISION = "/again/decision/"
WHY = "/again/why/"
STATUS = "/again/status/"


def at(claim: AppealClaim, tail: str = "") -> str:
    return f"{QUEUE}items/{claim.pk}/{tail}"


def with_picture(claim: AppealClaim, pictures) -> bytes:
    data = (pictures / "coffee.png").read_bytes()
    sealed = store_file(data)
    Evidence.objects.create(
        content=claim.appeal.grant.decision.flag.content,
        name=sealed.name,
        wrapped_key=sealed.wrapped_key,
        key_version=sealed.key_version,
        size=len(data),
        stored_at=NOW,
        expires_at=timezone.now() + timedelta(days=9),
    )
    return data


def run_out(claim: AppealClaim) -> None:
    AppealClaim.objects.filter(pk=claim.pk).update(expires_at=timezone.now())


def answer(claim: AppealClaim, **changes: object) -> dict[str, object]:
    given = {
        "claim_token": claim.token,
        "outcome": "UPHELD",
        "reasoning": "The signs stand.",
    }
    return {**given, **changes}


def link(raw: str = RAW) -> str:
    return reverse("appeals:link", args=[raw])


def masked(response) -> str:
    """A page without what differs between two requests: the form's token, and the page's own address."""
    page = re.sub(
        r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode()
    )
    return re.sub(r'(value|action)="/again/[^"]*"', "", page)


def state() -> list[int]:
    rows = (Session, Appeal, AppealGrant, AuditEntry, Notice)
    return [model.objects.count() for model in rows]
