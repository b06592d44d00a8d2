"""What a reviewer gets to see, and what a person is told of the outcome."""

from collections.abc import Collection
from typing import Any

from moderation.errors import Refusal
from moderation.media import (
    MediaRefused,
    contact_sheet,
    decode,
    derivative,
    frames,
    is_moving,
)
from moderation.models import Content, Enforcement, Flag, Match, Work
from moderation.storage import EvidenceGone, open_file


class EvidenceUnavailable(Refusal):
    """The picture can no longer be shown."""

    code = "evidence_unavailable"


def picture_for_review(
    *, content: Content, blur: bool, grey: bool, mark: str = ""
) -> bytes:
    """A small marked copy, never the original's bytes (T-37). Whoever calls has checked and logged the look.

    Of a video, a sheet of some of its frames.

    :raises EvidenceUnavailable: if the picture was destroyed or cannot be decoded.
    """
    try:
        data = open_file(content.evidence.sealed)
        picture = contact_sheet(frames(data)) if is_moving(data) else decode(data)
    except (EvidenceGone, MediaRefused, Content.evidence.RelatedObjectDoesNotExist):
        raise EvidenceUnavailable("This picture can no longer be shown.") from None
    return derivative(picture, blur=blur, grey=grey, mark=mark)


def flag_evidence(flag: Flag) -> dict[str, Any]:
    """Everything that speaks for or against, without the picture, for the console's evidence pane."""
    content = flag.content
    matches = content.matches.select_related("bank", "banked_hash")
    matches = matches.defer("banked_hash__value_sealed").order_by("distance")
    earlier = Content.objects.filter(account=content.account).exclude(pk=content.pk)
    return {
        "matches": [
            {
                "bank": match.bank.name,
                "signal_type": match.signal_type,
                "distance": match.distance,
                "threshold": match.threshold,
                "standing": match.banked_hash.standing if match.banked_hash else "",
                "only_review": match.only_review,
                "parked_why": match.banked_hash.parked_why if match.banked_hash else "",
                "is_demoted": bool(match.banked_hash and match.banked_hash.demoted_at),
            }
            for match in matches
        ],
        "detections": list(
            content.detections.order_by("-score").values(
                "model", "version", "label", "score"
            )
        ),
        "priority_parts": flag.priority_parts,
        "caption": content.caption,
        "platform": content.platform.name,
        "posted_at": content.posted_at,
        "visibility": content.visibility,
        "account_state": content.account.state,
        "account_first_seen_at": content.account.first_seen_at,
        "account_contents": earlier.count(),
        "account_removed": earlier.filter(visibility="REMOVED").count(),
    }


def copies_removed(*, source_refs: Collection[str]) -> int:
    """How many contents that matched these sources were removed after a reviewer decided, about each or about the
    picture that it is a near copy of. No place, no time (T-13).
    """
    removed = Enforcement.objects.filter(
        action=Enforcement.Action.REMOVE,
        work_state=Work.WorkState.DONE,
        content__visibility=Content.Visibility.REMOVED,
        content__in=Match.objects.filter(source_ref__in=source_refs).values("content"),
    )
    return removed.values("content").distinct().count()
