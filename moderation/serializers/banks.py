"""The shape of a bank of one's own, and of the files that it is filled from and written to."""

from typing import Any

from rest_framework import serializers

from moderation.serializers.fields import (
    Strict,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
)

FORMATS = ("csv", "jsonl", "threatexchange")
_SLUG = r"[a-z0-9]+(-[a-z0-9]+)+"


class BankChangeIn(Strict):
    """What is to be changed; what is left out stays."""

    name = StrictCharField(
        max_length=80, required=False, help_text="What people here call it."
    )
    threshold = StrictIntegerField(
        min_value=0,
        max_value=31,
        required=False,
        help_text="Up to this many bits a match holds.",
    )
    review_threshold = StrictIntegerField(
        min_value=0,
        max_value=63,
        required=False,
        help_text="Up to this many bits it is a question for people; at least the threshold.",
    )
    is_enabled = StrictBooleanField(
        required=False, help_text="Whether anything is matched with it."
    )
    enabled_percent = StrictIntegerField(
        min_value=0,
        max_value=100,
        required=False,
        help_text="The share of pictures that are matched with it; the same picture always gets the same answer.",
    )


class BankIn(BankChangeIn):
    """A new bank."""

    slug = StrictCharField(
        max_length=40,
        pattern=(
            _SLUG,
            "Lower-case letters and digits with single hyphens: your alias first, like example-spam.",
        ),
        help_text="Begins with your platform's alias and a hyphen.",
    )
    name = StrictCharField(max_length=80, help_text="What people here call it.")


class ImportIn(Strict):
    """A file of fingerprints."""

    format = serializers.ChoiceField(choices=[(name, name) for name in FORMATS])
    file = serializers.FileField(help_text="At most 10 MiB.")


class ExportIn(Strict):
    """How to write them."""

    format = serializers.ChoiceField(
        choices=[(name, name) for name in FORMATS], default="csv"
    )


class BankOut(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    threshold = serializers.IntegerField()
    review_threshold = serializers.IntegerField()
    is_enabled = serializers.BooleanField()
    enabled_percent = serializers.IntegerField()
    created_at = serializers.DateTimeField(allow_null=True)


class OneBankOut(BankOut):
    hash_count = serializers.IntegerField(help_text="Fingerprints in it.")


class BanksOut(serializers.Serializer[Any]):
    banks = BankOut(many=True)


class ClosingOut(serializers.Serializer[Any]):
    left = serializers.IntegerField(
        help_text="Fingerprints still to be withdrawn; send the same request again."
    )


class ImportedOut(serializers.Serializer[Any]):
    added_count = serializers.IntegerField(help_text="New ones, now in the bank.")
    known_count = serializers.IntegerField(
        help_text="Those that were in the bank before, or twice in the file."
    )
