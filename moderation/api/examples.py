"""What the OpenAPI document shows as examples of each route."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

_HASH: Final = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
_ID: Final = "b2ee0d9c6b1f4c5f9d0f7a3d1c8e4a55"
_AT: Final = "2026-11-25T10:00:00Z"
_ADDED: Final = {"id": _ID, "parked": ""}
_BANK: Final = {
    "slug": "example-spam",
    "name": "Spam that we know",
    "threshold": 31,
    "review_threshold": 47,
    "is_enabled": True,
    "enabled_percent": 100,
    "created_at": _AT,
}
_ANSWER: Final = {"verdict": "hold", "match_id": _ID, "degraded": False}
_FINGERPRINT: Final = {
    **_ADDED,
    "bank": "example-spam",
    "signal_type": "pdq",
    "quality": 100,
    "standing": "claimed",
    "is_demoted": False,
    "disabled_until": None,
    "added_at": _AT,
}


def _asked(value: Any, name: str = "request") -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True, media_type="application/json")


def _said(value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample(
        "answer", value, response_only=True, status_codes=[str(status)]
    )


MATCH: Final = [
    _asked({"hashes": [{"signal_type": "pdq", "value": _HASH}]}, "pdq"),
    _asked({"hashes": [{"signal_type": "vpdq", "frames": [_HASH]}]}, "video"),
    _said({"answers": [_ANSWER]}),
]
SENT: Final = [
    _said(
        {
            "id": _ID,
            "external_id": "post-123",
            "state": "received",
            "links": {"self": "/api/v1/content/post-123/"},
        },
        202,
    )
]
CONTENT: Final = [
    _said(
        {
            "id": _ID,
            "external_id": "post-123",
            "state": "checked",
            "refused_code": "",
            "visibility": "visible",
        }
    )
]
ADD: Final = [
    _asked(
        {
            "bank": "example-spam",
            "fingerprints": [{"signal_type": "pdq", "value": _HASH, "quality": 100}],
        }
    ),
    _said({"fingerprints": [_ADDED]}, 201),
]
FINGERPRINT: Final = [_said(_FINGERPRINT)]
PAUSE: Final = [
    _asked({"disabled_until": _AT}),
    _said({**_FINGERPRINT, "disabled_until": _AT}),
]
OPINION: Final = [_asked({"is_right": False}), _said({"id": _ID, "is_right": False})]
BANKS: Final = [_said({"banks": [_BANK]})]
OPEN: Final = [
    _asked({"slug": "example-spam", "name": "Spam that we know"}),
    _said(_BANK, 201),
]
BANK: Final = [_said({**_BANK, "hash_count": 1024})]
CHANGE: Final = [_asked({"threshold": 20}), _said({**_BANK, "threshold": 20})]
CLOSE: Final = [_said({"left": 40_000}, 202)]
IMPORT: Final = [_said({"added_count": 990, "known_count": 10})]
EXPORT: Final = [_said(f"signal_type,value,quality\r\npdq,{_HASH},100\r\n")]
