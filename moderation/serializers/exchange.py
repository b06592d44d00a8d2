"""The shape of what clients of the StopNCII protocol send: lenient where they are, strict about each fingerprint."""

import re
from typing import Any

from rest_framework import serializers

from moderation.services.banks import Given

MAX_RECORDS = 1000
MAX_PAGE = 1000
# As the protocol names them: the signal type here, and how many lower-case digits it has.
WIRE_TYPES = {"ImagePDQ": "pdq", "VideoMD5": "md5"}
_DIGITS = {"pdq": re.compile("[0-9a-f]{64}"), "md5": re.compile("[0-9a-f]{32}")}
# What a platform may say of a fingerprint; the other values say nothing of whether it is right.
_OPINIONS = {
    "Blocked": True,
    "NotBlocked": False,
    "None": None,
    "PendingReview": None,
    "QualityUnknown": None,
}


class FetchIn(serializers.Serializer[Any]):
    """The query of FetchHashes. What else a client adds to it is ignored, as every server of this protocol does."""

    startTimestamp = serializers.IntegerField(  # noqa: N815
        min_value=0, max_value=2**40, default=0
    )
    pageSize = serializers.IntegerField(min_value=1, default=800)  # noqa: N815
    nextPageToken = serializers.CharField(  # noqa: N815
        max_length=100, default="", allow_blank=True
    )


class EnumField(serializers.Field[str, Any, Any, Any]):
    """One of these words, also with its class in front: clients send ``str(enum)``, which is ``Class.Word``."""

    def __init__(self, *words: str) -> None:
        super().__init__()
        self.words = words

    def to_internal_value(self, data: Any) -> str:
        word = data.rpartition(".")[2] if isinstance(data, str) else ""
        if word not in self.words:
            raise serializers.ValidationError(f"One of {', '.join(self.words)}.")
        return word


class HashField(serializers.Field[str, Any, Any, Any]):
    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and any(
            digits.fullmatch(data) for digits in _DIGITS.values()
        ):
            return data
        raise serializers.ValidationError(
            "64 lower-case hexadecimal digits for ImagePDQ, 32 for VideoMD5."
        )


def _digits_of(value: str) -> str:
    """The signal type that has as many digits."""
    return next(name for name, digits in _DIGITS.items() if digits.fullmatch(value))


class RecordIn(serializers.Serializer[Any]):
    signalType = EnumField(*WIRE_TYPES)  # noqa: N815
    hashValue = HashField()  # noqa: N815

    def validate(self, attrs: dict[str, Any]) -> Any:
        kind, value = WIRE_TYPES[attrs["signalType"]], attrs["hashValue"]
        if _digits_of(value) != kind:
            raise serializers.ValidationError("hashValue is not of this signalType.")
        return Given(kind, bytes.fromhex(value))


class RecordsIn(serializers.Serializer[Any]):
    hashRecords = serializers.ListField(  # noqa: N815
        child=RecordIn(), min_length=1, max_length=MAX_RECORDS
    )


class FeedbackIn(serializers.Serializer[Any]):
    hashValue = HashField()  # noqa: N815
    feedbackValue = EnumField(*_OPINIONS)  # noqa: N815

    def validate(self, attrs: dict[str, Any]) -> Any:
        """Signal type, value, and whether the fingerprint is said to be right, wrong, or neither."""
        value = attrs["hashValue"]
        said = _OPINIONS[attrs["feedbackValue"]]
        return _digits_of(value), bytes.fromhex(value), said


class FeedbacksIn(serializers.Serializer[Any]):
    hashFeedbacks = serializers.ListField(  # noqa: N815
        child=FeedbackIn(), min_length=1, max_length=MAX_RECORDS
    )
