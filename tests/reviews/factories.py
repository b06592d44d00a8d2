"""What the desk's tests need beyond the common factories."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from moderation.models import Content, Evidence, Flag, User
from moderation.storage import store_file
from reviews.models import Claim, Decision, Policy
from reviews.services import claim_next, decide

FACTS = "The post contains an image that shows a person naked or partly naked."
REASONING = "Sharing needs agreement, and it is missing here."


def held_by(reviewer: User) -> Claim:
    """Take the next one, as the page does."""
    return claim_next(reviewer=reviewer, now=timezone.now())


def answer(claim: Claim, policy: Policy, **changes: object) -> Decision:
    """Decide what is claimed, as the form does."""
    given: dict[str, object] = {
        "claim_token": claim.token,
        "reviewer": claim.reviewer,
        "version": Flag.objects.get(pk=claim.flag_id).version,
        "policy": policy,
        "removes": policy.removes,
        "disables_account": policy.closes_account,
        "facts": FACTS,
        "reasoning": REASONING,
        "private_notes": "",
        "now": timezone.now(),
    }
    return decide(**{**given, **changes})


def with_picture(content: Content, picture: bytes) -> Content:
    """Keep a picture as the content's evidence, encrypted like any other."""
    sealed = store_file(picture)
    now = timezone.now()
    Evidence.objects.create(
        content=content,
        name=sealed.name,
        wrapped_key=sealed.wrapped_key,
        key_version=sealed.key_version,
        size=len(picture),
        stored_at=now,
        expires_at=now + timedelta(days=1),
    )
    return content


def at(name: str, *args: object) -> str:
    return reverse(f"reviews:{name}", args=args)


def given(claim: Claim, policy: Policy, **changes: object) -> dict[str, object]:
    return {
        "claim_token": claim.token,
        "version": 1,
        "policy": policy.pk,
        "account": "PROPOSED",
        "seen": ["intimate_nude", "words_against"],
        "facts": "",
        "reasoning": "Agreement is missing.",
        "private_notes": "",
        **changes,
    }
