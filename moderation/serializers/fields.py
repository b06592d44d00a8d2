"""Strict fields: a mistake is named and never guessed at.

A serializer's docstring is its description in the OpenAPI document; comments are for us.
"""

import re
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from moderation.http import EXTERNAL_ID


class Strict(serializers.Serializer[Any]):
    """Only these fields: another one is refused, as a typing error or as data that nobody agreed to send."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and set(data) - set(self.fields):
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {"non_field_errors": [f"There is an unknown field. Known: {known}."]},
                code="unknown",
            )
        return super().to_internal_value(data)


class WholeMatch(RegexValidator):
    """Django's validator looks for the pattern, and its ``$`` lets a newline follow; this one compares the whole."""

    def __init__(self, pattern: str, message: str) -> None:
        super().__init__(f"^{pattern}$", message)

    def __call__(self, value: Any) -> None:
        assert isinstance(self.regex, re.Pattern)  # noqa: S101 (for the type checker)
        if not self.regex.fullmatch(str(value)):
            raise serializers.ValidationError(str(self.message), code="pattern")


class StrictCharField(serializers.CharField):
    """Text is text: DRF's own field also takes numbers, trims, and takes an empty one in a form for a missing one."""

    def __init__(self, *, pattern: tuple[str, str] | None = None, **options: Any):
        super().__init__(trim_whitespace=False, **options)
        if pattern:
            self.validators.append(WholeMatch(*pattern))

    def get_value(self, dictionary: Any) -> Any:
        return dictionary.get(self.field_name, serializers.empty)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A number is a number: DRF's own field also takes "3" and true."""

    def to_internal_value(self, data: Any) -> int:
        if not is_whole(data):
            self.fail("invalid")
        return super().to_internal_value(int(data))


def is_whole(data: Any) -> bool:
    """What JSON Schema calls an integer: 3 and 3.0."""
    return type(data) is int or (isinstance(data, float) and data.is_integer())


class StrictBooleanField(serializers.BooleanField):
    """True or false: DRF's own field also takes "yes", 1 and "null"."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


class StrictDateTimeField(serializers.DateTimeField):
    """An empty time is a mistake, not a missing one."""

    def get_value(self, dictionary: Any) -> Any:
        return dictionary.get(self.field_name, serializers.empty)


def id_field(what: str) -> StrictCharField:
    return StrictCharField(
        pattern=(
            EXTERNAL_ID,
            "1 to 200 letters, digits or any of . _ ~ : @ + = , - and first a letter, a digit or _.",
        ),
        help_text=f"Your own id of the {what}.",
    )
