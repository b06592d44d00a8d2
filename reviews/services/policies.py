"""The starting policy tree. Its rules stand in ``data/policies.json``, its public words here, to be translated."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop as _

from moderation.models import AuditEntry
from reviews.models import Policy

_RULES = Path(__file__).parent.parent / "data" / "policies.json"
_NOT_FOUND = _("We did not find that this breaks the rule on intimate images.")

# Title and public text by slug: the account that posted reads both, in its own language.
PUBLIC_WORDS: dict[str, tuple[str, str]] = {
    "ncii.shared": (
        _("Intimate image shared without consent"),
        _(
            "You may not share an intimate image of a person who has not agreed to this sharing. It does not matter "
            "who made the image, how you got it, or whether the person once agreed to it being taken."
        ),
    ),
    "ncii.threat": (
        _("Threat to share intimate images, or demands using them"),
        _(
            "You may not threaten to share intimate images of a person, or demand money, images, contact or silence "
            "by using them. This is so even if no image exists."
        ),
    ),
    "ncii.synthetic": (
        _("Intimate image made or changed by computer without consent"),
        _(
            "You may not share an image that was made or changed by computer to show a real person naked or in a "
            "sexual situation without their consent. Saying that it is not real does not make it allowed."
        ),
    ),
    "ncii.covert": (
        _("Image taken in secret"),
        _(
            "You may not share intimate images that were taken without the person knowing, for example under "
            "clothing, with a hidden camera, through a window, while they slept, or by recording a private call."
        ),
    ),
    "ncii.stolen": (
        _("Intimate image stolen, or taken out of a private channel"),
        _(
            "You may not share intimate images that were taken from someone's account, device, cloud or private "
            "messages, or that were sent to a few people and then passed on."
        ),
    ),
    "ncii.cultural": (
        _("Image that is intimate for this person"),
        _(
            "You may not share an image that shows a person in a way they never show themselves to others, for "
            "example without religious or cultural clothing, when the person says that it is intimate to them and "
            "did not agree."
        ),
    ),
    "ncii.doxxing": (
        _("Intimate image together with identity or contact data"),
        _(
            "You may not publish a person's name, address, phone number, workplace, family or account together with "
            "an intimate image of them, or in order to lead others to one."
        ),
    ),
    "ncii.commercial": (
        _("Intimate content taken out of its agreed place"),
        _(
            "You may not re-share intimate content that a person sells or shows in one place, for example behind a "
            "payment, in another place or to other people without their agreement."
        ),
    ),
    "ncii.solicit": (
        _("Asking for, offering or trading such images"),
        _(
            "You may not ask for, offer, trade or link to intimate images shared without consent, or offer to make "
            "them of real people."
        ),
    ),
    "stop.minor": (
        _("A person may be under 18"),
        _(
            "Content that sexualises or exposes a person under 18 is not allowed and may be reported to the "
            "authorities as the law requires."
        ),
    ),
    "request.no_finding": (
        _("Removed on a legal request, no rule broken as far as we know"),
        _(
            "The post was removed because a complete legal request was made. We have not found that you broke a rule."
        ),
    ),
    "none.adult_consensual": (_("No sign of missing consent"), _NOT_FOUND),
    "none.public_value": (
        _("News, medicine, education, art or protest"),
        _(
            "We did not find that this breaks the rule on intimate images, because of its value to the public and "
            "the way it is shown."
        ),
    ),
    "none.own_image": (
        _("Shared by the person in the image"),
        _(
            "We did not find that this breaks the rule on intimate images, because the person in it shares it."
        ),
    ),
    "none.different_image": (_("Not the same image"), _NOT_FOUND),
    "none.not_intimate": (_("Not intimate"), _NOT_FOUND),
    "unsure.second": (_("Cannot tell, second review"), ""),
}


@transaction.atomic
def load_policies(now: datetime) -> int:
    """Publish what is new or changed, as new versions; decisions keep the version that they cited. Twice equals once.

    :returns: how many versions were published.
    """
    published = 0
    for position, rule in enumerate(json.loads(_RULES.read_text("utf-8"))):
        content = _content(rule, position)
        slug = content["slug"]
        current = Policy.objects.select_for_update().filter(slug=slug, is_current=True)
        if current.filter(**content).exists():
            continue
        current.update(is_current=False)
        latest = Policy.objects.filter(slug=slug).order_by("-version").first()
        policy = Policy.objects.create(
            **content, version=latest.version + 1 if latest else 1, published_at=now
        )
        AuditEntry.record(actor="system", verb="policy.published", target=policy)
        published += 1
    return published


def _content(rule: dict[str, Any], position: int) -> dict[str, Any]:
    title, public_text = PUBLIC_WORDS[rule["slug"]]
    guidance = [
        *rule["guidance"],
        *(f"Looks alike: {line}" for line in rule["looks_alike"]),
        *(f"Borderline: {line}" for line in rule["borderline"]),
    ]
    return {
        "slug": rule["slug"],
        "outcome": rule["outcome"],
        "title": title,
        "public_text": public_text,
        "guidance": "\n".join(guidance),
        "severity": rule["severity"],
        "default_actions": rule["default_actions"],
        "dsa_category": rule["dsa_category"],
        "is_automatic": rule.get("automatic", False),
        "position": position,
    }
