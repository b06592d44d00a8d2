"""The shape of a content that a platform sends, and of what became of it."""

from datetime import UTC
from typing import Any

from rest_framework import serializers

from moderation.serializers.fields import (
    Strict,
    StrictCharField,
    StrictDateTimeField,
    id_field,
)

_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?"


class ContentIn(Strict):
    """One content, with its picture or video."""

    external_id = id_field("content; unique for each of your contents")
    account_id = id_field("account that posted it. Send no person's name")
    media = serializers.FileField(
        help_text="A picture (JPEG, PNG, WebP, GIF, AVIF, HEIC) or a video (MP4, MOV, WebM, MKV), at most 50 MiB."
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
