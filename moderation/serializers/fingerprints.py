"""The shape of a fingerprint: one object for each signal type, read without a guess.

The reading is written out and not left to nested serializers: those cost more than the look-up itself.
"""

import re
from collections.abc import Iterable
from typing import Any, NoReturn

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from moderation.serializers.fields import (
    Strict,
    StrictBooleanField,
    StrictCharField,
    StrictDateTimeField,
    is_whole,
)
from moderation.services.banks import Given

MAX_HASHES = 100
MAX_FINGERPRINTS = 1000
MAX_FRAMES = 600
_DIGITS = {"pdq": 64, "sha256": 64, "md5": 32, "phash": 16}
_HEX = {name: re.compile(f"[0-9a-f]{{{count}}}") for name, count in _DIGITS.items()}
_FRAME = _HEX["pdq"]


class FingerprintField(serializers.Field[Given, Any, Any, Any]):
    """``{"signal_type": "pdq", "value": hex}``, or ``{"signal_type": "vpdq", "frames": [hex, ...]}``."""

    types: tuple[str, ...] = ("pdq", "vpdq", "sha256", "md5")
    takes_quality = False

    def to_internal_value(self, data: Any) -> Given:
        if not isinstance(data, dict):
            self._refuse("A fingerprint is an object with its signal_type.")
        kind = data.get("signal_type")
        if not isinstance(kind, str) or kind not in self.types:
            self._refuse(f"signal_type is one of {', '.join(self.types)}.")
        named = "frames" if kind == "vpdq" else "value"
        more = {"quality"} if self.takes_quality else set()
        if not {"signal_type", named} <= set(data) <= {"signal_type", named} | more:
            names = " and ".join(("signal_type", named, *more))
            self._refuse(f"{kind} has the fields {names}, and no other.")
        value = self._frames(data) if kind == "vpdq" else self._value(kind, data)
        return Given(kind, value, self._quality(data))

    def _value(self, kind: str, data: dict[str, Any]) -> bytes:
        value = data["value"]
        if not isinstance(value, str) or not _HEX[kind].fullmatch(value):
            self._refuse(f"value is {_DIGITS[kind]} lower-case hexadecimal digits.")
        return bytes.fromhex(value)

    def _frames(self, data: dict[str, Any]) -> bytes:
        frames = data["frames"]
        if not isinstance(frames, list) or not 1 <= len(frames) <= MAX_FRAMES:
            self._refuse(f"frames is a list of 1 to {MAX_FRAMES} hashes.")
        if not all(isinstance(one, str) and _FRAME.fullmatch(one) for one in frames):
            self._refuse("Each frame is 64 lower-case hexadecimal digits.")
        return bytes.fromhex("".join(frames))

    def _quality(self, data: dict[str, Any]) -> int | None:
        if "quality" not in data:
            return None
        quality = data["quality"]
        if not is_whole(quality) or not 0 <= quality <= 100:
            self._refuse("quality is a whole number from 0 to 100.")
        return int(quality)

    def _refuse(self, why: str) -> NoReturn:
        raise serializers.ValidationError(why, code="invalid")


def _shape(kind: str, takes_quality: bool) -> dict[str, Any]:
    if kind == "vpdq":
        frame = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
        frames = {"type": "array", "items": frame, "minItems": 1}
        named, value = "frames", {**frames, "maxItems": MAX_FRAMES}
    else:
        pattern = f"^[0-9a-f]{{{_DIGITS[kind]}}}$"
        named, value = "value", {"type": "string", "pattern": pattern}
    fields = {"signal_type": {"type": "string", "enum": [kind]}, named: value}
    if takes_quality:
        fields["quality"] = {"type": "integer", "minimum": 0, "maximum": 100}
    return {
        "type": "object",
        "title": kind,
        "properties": fields,
        "required": ["signal_type", named],
        "additionalProperties": False,
    }


def _shapes(kinds: Iterable[str], *, takes_quality: bool) -> dict[str, Any]:
    return {"oneOf": [_shape(kind, takes_quality) for kind in kinds]}


@extend_schema_field(_shapes(FingerprintField.types, takes_quality=False))
class AskedField(FingerprintField):
    """What a match is asked for. pHash is not among them: it only ever raises questions for people."""


_ADDED = (*FingerprintField.types, "phash")


@extend_schema_field(_shapes(_ADDED, takes_quality=True))
class AddedField(FingerprintField):
    types = _ADDED
    takes_quality = True


class HashesIn(Strict):
    """Up to 100 fingerprints; each is answered on its own."""

    hashes = serializers.ListField(
        child=AskedField(), min_length=1, max_length=MAX_HASHES
    )


class MediaIn(Strict):
    """One picture or video."""

    media = serializers.FileField(
        help_text="A picture or a video, recognised by its content; at most 10 MiB. Nothing of it is kept."
    )


class FingerprintsIn(Strict):
    """Up to 1,000 fingerprints for a bank of your own: all of them are banked, or none."""

    bank = StrictCharField(max_length=40, help_text="The slug of your bank.")
    fingerprints = serializers.ListField(
        child=AddedField(),
        min_length=1,
        max_length=MAX_FINGERPRINTS,
        error_messages={
            "max_length": "At most 1,000 in one call. Send more as a file, to /api/v1/banks/<slug>/import/."
        },
    )


class PauseIn(Strict):
    """A pause: nothing is matched with the fingerprint until then."""

    disabled_until = StrictDateTimeField(
        allow_null=True, help_text="ISO 8601; null ends the pause."
    )


class OpinionIn(Strict):
    """Your word on a fingerprint that your content was matched with."""

    is_right = StrictBooleanField(help_text="False if the match was wrong.")


# What is answered. These describe; the views build the answers from exactly these fields.


class EvidenceOut(serializers.Serializer[Any]):
    bank = serializers.CharField()
    signal_type = serializers.CharField()
    distance = serializers.IntegerField(
        help_text="In bits; of a video, the share of frames that is missing, in percent."
    )
    threshold = serializers.IntegerField()
    standing = serializers.CharField(help_text="CLAIMED or CONFIRMED.")
    fingerprint = serializers.CharField(
        help_text="Its id: what an opinion is given on."
    )
    reference = serializers.CharField(
        help_text="Names the source, to you alone: equal for equal sources."
    )


class AnswerOut(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=["allow", "hold", "block"])
    match_id = serializers.CharField(
        help_text="Random; quote it when you ask about this."
    )
    degraded = serializers.BooleanField(
        help_text="The banks could not be compared in full, so the verdict is the safe one."
    )
    evidence = EvidenceOut(
        many=True,
        required=False,
        help_text="Only with the scope match:evidence, for the operator's own services.",
    )


class AnswersOut(serializers.Serializer[Any]):
    answers = AnswerOut(many=True, help_text="In the order of what was asked.")


class AddedOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Our id of the fingerprint.")
    parked = serializers.CharField(
        help_text="Why its matches are only questions for people: guard, widely_seen or quality; empty if they are not."
    )


class AllAddedOut(serializers.Serializer[Any]):
    fingerprints = AddedOut(many=True, help_text="In the order in which they came.")


class FingerprintOut(AddedOut):
    bank = serializers.CharField()
    signal_type = serializers.CharField()
    quality = serializers.IntegerField(allow_null=True)
    standing = serializers.CharField(help_text="claimed or confirmed.")
    is_demoted = serializers.BooleanField(
        help_text="Platforms called it wrong, so its matches are only questions for people."
    )
    disabled_until = serializers.DateTimeField(allow_null=True)
    added_at = serializers.DateTimeField()


class OpinionOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="The id of the fingerprint.")
    is_right = serializers.BooleanField()
