"""What the hub takes. Each form takes its own fields and nothing else, so that nothing can be sent along (T-02)."""

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.utils.translation import gettext_lazy as _

from moderation.hashing import plausible
from victims import credentials
from victims.credentials import Judgement

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MOST_HASHES = 100
_ENTRY = re.compile(r"([0-9a-f]{64}):([0-9]{1,3}):photo", re.ASCII)
_QUALITIES = range(50, 101)


class NotFromOurPage(SuspiciousOperation):
    """Something that no page of ours sends: answered with 400 and kept nowhere."""


class HubForm(forms.Form):
    """:raises NotFromOurPage: for a field it does not know."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, initial: Any = None
    ) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        if set(data or ()) - set(self.fields) - {"csrfmiddlewaretoken"}:
            raise NotFromOurPage("a field that this form does not have")


class FingerprintsField(forms.Field):
    """`<64 hex digits>:<quality>:photo`, once for each fingerprint; equal ones count once."""

    widget = forms.MultipleHiddenInput
    default_error_messages = {
        "required": _("No fingerprint could be made yet"),
    }

    def to_python(self, value: list[str] | None) -> list[tuple[str, int]]:
        entries = dict(_fingerprint(entry) for entry in value or ())
        if len(entries) > MOST_HASHES:
            raise NotFromOurPage("more fingerprints than a case takes")
        return list(entries.items())


def _fingerprint(entry: str) -> tuple[str, int]:
    parts = _ENTRY.fullmatch(entry)
    if parts is None or int(parts[2]) not in _QUALITIES:
        raise NotFromOurPage("not a fingerprint")
    if not plausible(bytes.fromhex(parts[1])):
        raise NotFromOurPage("not a fingerprint that a picture can have")
    return parts[1], int(parts[2])


class SendForm(HubForm):
    """The one form that sends: fingerprints, three statements, a PIN."""

    OWN, WORDS = "own", "words"
    STATEMENTS = ("adult", "me", "no_consent")

    hash = FingerprintsField()
    adult = forms.BooleanField(
        required=False,
        label=_("I confirm: everyone in these images was 18 or older."),
    )
    me = forms.BooleanField(
        required=False,
        label=_(
            "I am in these images, or I act for the person who is and have their permission."
        ),
    )
    no_consent = forms.BooleanField(
        required=False,
        label=_(
            "I do not agree to these images being shared. (Or: the person I act for does not agree.)"
        ),
    )
    kind = forms.ChoiceField(
        choices=[
            (OWN, _("8 or more letters or numbers of your own")),
            (WORDS, _("4 words chosen by this page")),
        ]
    )
    pin = forms.CharField(required=False)
    words = forms.CharField(required=False)

    def clean_no_consent(self) -> bool:
        if not all(self.cleaned_data.get(name) for name in self.STATEMENTS):
            raise ValidationError(
                _(
                    "Without these three statements we cannot use the fingerprints. Tick them if they are true."
                )
            )
        return True

    def clean_words(self) -> str:
        phrase = credentials.read_pin(self.cleaned_data["words"])
        if self.cleaned_data.get("kind") == self.WORDS:
            if not credentials.is_phrase(phrase):
                raise NotFromOurPage("words that this page did not choose")
            self.cleaned_data["pin"] = phrase
        return phrase

    def clean_pin(self) -> str:
        pin = credentials.read_pin(self.cleaned_data["pin"])
        if self.cleaned_data.get("kind") == self.OWN:
            judgement = credentials.judge(pin, _common())
            if judgement is not Judgement.FINE:
                raise ValidationError(_WEAK[judgement])
        return pin


_WEAK = {
    Judgement.SHORT: _("Use at least 8 letters or numbers, or choose 4 words."),
    Judgement.EASY: _(
        "Others could guess this PIN, for example a date or the same letter again and again. Choose another."
    ),
}


@cache
def _common() -> frozenset[str]:
    """The 20,000 passwords that are tried first; the list comes with Django."""
    return frozenset(CommonPasswordValidator().passwords)


class AgeForm(HubForm):
    """The question before any field for files exists. ``way`` is where the person was going."""

    NO = "no"
    way = forms.ChoiceField(choices=[("1", "1"), ("2", "2"), ("3", "3")])
    answer = forms.ChoiceField(
        choices=[("yes", _("Yes")), (NO, _("No")), ("unsure", _("I am not sure"))],
        widget=forms.RadioSelect,
        error_messages={
            "required": _(
                'Choose one answer. If you are not sure, choose "I am not sure".'
            )
        },
    )

    def clean_way(self) -> int:
        return int(self.cleaned_data["way"])


class SecretField(forms.CharField):
    """What somebody typed to be let in: never invalid by its form, only a misfit, so that all misfits look alike."""

    def __init__(self, label: "str | _StrPromise") -> None:
        super().__init__(required=False, strip=False, label=label)
        self.validators = []


class OpenForm(HubForm):
    number = SecretField(_("Case number"))
    pin = SecretField(_("PIN"))


class StopForm(HubForm):
    pin = SecretField(_("PIN"))


class PlainForm(HubForm):
    """A button and nothing else."""
