"""The shape of what platforms send and get: strict both ways, so that a mistake is named and never guessed at."""

import re
from datetime import UTC
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from moderation.http import EXTERNAL_ID
from moderation.models.partners import Scope

_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?"
_HASH = r"[0-9a-f]{64}"
MAX_HASHES = 100


# A serializer's docstring is its description in the OpenAPI document; comments are for us.


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


class StrictDateTimeField(serializers.DateTimeField):
    """An empty time is a mistake, not a missing one."""

    def get_value(self, dictionary: Any) -> Any:
        return dictionary.get(self.field_name, serializers.empty)


def _id_field(what: str) -> StrictCharField:
    return StrictCharField(
        pattern=(
            EXTERNAL_ID,
            "1 to 200 letters, digits or any of . _ ~ : @ + = , - and first a letter, a digit or _.",
        ),
        help_text=f"Your own id of the {what}.",
    )


class ContentIn(Strict):
    """One content, with its picture."""

    external_id = _id_field("content; unique for each of your contents")
    account_id = _id_field("account that posted it. Send no person's name")
    media = serializers.FileField(
        help_text="The picture: JPEG, PNG, WebP or GIF, at most 50 MiB."
    )
    caption = StrictCharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=10_000,
        help_text="The words that were posted with it.",
    )
    language = StrictCharField(
        pattern=(_LANGUAGE, "A language tag like en or pt-BR."),
        required=False,
        default="en",
        max_length=12,
        help_text="The language that the account is written to in.",
    )
    posted_at = StrictDateTimeField(
        required=False,
        default=None,
        default_timezone=UTC,
        help_text="When it was posted; the time of receipt if not given.",
    )


class HashIn(Strict):
    """A fingerprint that you made of a picture."""

    signal_type = serializers.ChoiceField(
        choices=[("pdq", "PDQ")],
        error_messages={"invalid_choice": "Only pdq is known."},
    )
    value = StrictCharField(
        pattern=(_HASH, "64 lower-case hexadecimal digits."),
        help_text="The 256 bits of the hash.",
    )


class HashesIn(Strict):
    """Up to 100 hashes; each is answered on its own."""

    hashes = HashIn(many=True, min_length=1, max_length=MAX_HASHES)  # type: ignore[call-arg]


class PictureIn(Strict):
    """One picture."""

    media = serializers.FileField(
        help_text="The picture: JPEG, PNG, WebP or GIF, at most 10 MiB. Nothing of it is kept."
    )


# What is answered. These describe; the views build the answers from exactly these fields.


class LinksOut(serializers.Serializer[Any]):
    self = serializers.CharField(help_text="Where to read what became of it.")


class ReceivedOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Our id of the content.")
    external_id = serializers.CharField()
    state = serializers.ChoiceField(choices=["received"])
    links = LinksOut()


class ContentOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    external_id = serializers.CharField()
    state = serializers.ChoiceField(
        choices=["received", "checked", "refused", "failed"],
        help_text="`failed`: we could not check it and a person here looks at why; nothing for you to do.",
    )
    refused_code = serializers.CharField(
        help_text="Why the media was not a picture we can check; empty unless refused."
    )
    visibility = serializers.ChoiceField(
        choices=["visible", "held", "removed", "deleted"],
        help_text="What you have confirmed to us, not what we think.",
    )


class EvidenceOut(serializers.Serializer[Any]):
    bank = serializers.CharField()
    signal_type = serializers.CharField()
    distance = serializers.IntegerField()
    threshold = serializers.IntegerField()
    standing = serializers.CharField()


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
        help_text=f"Only with the scope {Scope.MATCH_EVIDENCE}, for the operator's own services.",
    )


class AnswersOut(serializers.Serializer[Any]):
    answers = AnswerOut(many=True, help_text="In the order of what was asked.")
