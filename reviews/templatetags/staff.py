"""Small things that every staff page shows: the reviewer's own dose, lengths of time, and text that cannot hide."""

from datetime import datetime, timedelta

from django import template
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews.services import DAILY_LOOKS, looks_made

register = template.Library()

_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


@register.inclusion_tag("reviews/_exposure.html")
def exposure(request: HttpRequest) -> dict[str, object]:
    """How often this reviewer has looked today: on every page, for themselves only."""
    if not getattr(request.user, "may_review", False):
        return {"shows": False}
    made = looks_made(request.user, timezone.now())  # type: ignore[arg-type]
    return {
        "shows": True,
        "made": made,
        "allowed": DAILY_LOOKS,
        "used": min(100, made * 100 // DAILY_LOOKS),
    }


@register.filter
def shown(text: str) -> str:
    """Make the characters visible that could rearrange or hide what stands around them (T-42)."""
    return "".join(_visible(char) for char in text)


@register.filter
def since(moment: datetime, now: datetime) -> str:
    return span(now - moment)


@register.filter
def until(moment: datetime, now: datetime) -> str:
    return span(moment - now)


@register.filter
def span(length: timedelta) -> str:
    """A length of time in its two largest units."""
    minutes = max(0, int(length.total_seconds() // 60))
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return _("{days} d {hours} h").format(days=days, hours=hours)
    if hours:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes % 60)
    return _("{minutes} min").format(minutes=minutes)


def _visible(char: str) -> str:
    code = ord(char)
    hides = code in _BIDI or (code < 0x20 and char not in "\n\t") or code == 0x7F
    return f"⟦U+{code:04X}⟧" if hides else char
