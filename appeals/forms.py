"""What an appellant and a reviewer may send."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from appeals.models import Appeal
from appeals.services import READY_REASONS
from reviews.models import Reveal

MOST_CHARACTERS = 4000


class Words(forms.CharField):
    """Free text. Browsers count a line break as one character and send two; we count as the person saw it counted."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return str(text).replace("\r\n", "\n")


def at_most(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise ValidationError(
            ngettext(
                "Your text has %(count)s character. It can have %(max)s at most.",
                "Your text has %(count)s characters. It can have %(max)s at most.",
                len(text),
            )
            % {"count": len(text), "max": MOST_CHARACTERS}
        )


# The account reads the answer: nothing that names or reaches anybody may stand there.
_REACHES_SOMEBODY = re.compile(r"@|https?:|www\.|\d{5,}", re.IGNORECASE)


def names_nobody(text: str) -> None:
    if _REACHES_SOMEBODY.search(text):
        raise ValidationError(
            _(
                "The account reads this. Leave out names, handles, addresses, links and long numbers."
            )
        )


class GroundForm(forms.Form):
    """Why should the decision change?"""

    use_required_attribute = False

    ground = forms.ChoiceField(
        choices=Appeal.Ground.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _(
                "Choose one reason, so that the reviewer knows where to start."
            ),
            "invalid_choice": _(
                "Choose one reason, so that the reviewer knows where to start."
            ),
        },
    )
    words = Words(
        required=False,
        validators=[at_most],
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        help_text=_("Do not write names, phone numbers or addresses of other people."),
    )


class AnswerForm(forms.Form):
    """The second look's answer. The reasons go to the account."""

    use_required_attribute = False

    claim_token = forms.CharField(widget=forms.HiddenInput, max_length=32)
    outcome = forms.ChoiceField(
        choices=Appeal.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose whether the decision stays or is changed."),
            "invalid_choice": _("Choose whether the decision stays or is changed."),
        },
    )
    ready = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (reason, _(reason)) for row in READY_REASONS.values() for reason in row
        ],
    )
    reasoning = Words(
        required=False,
        validators=[at_most, names_nobody],
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
    )

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        outcome = given.get("outcome")
        fitting = READY_REASONS[Appeal.Outcome(outcome)] if outcome else []
        if outcome and set(given.get("ready", [])) - set(fitting):
            self.add_error("ready", _("This reason belongs to the other answer."))
        if not given.get("ready") and not given.get("reasoning", "-"):
            self.add_error("reasoning", _("Give your reasons."))
        return given

    def answer(self) -> dict[str, Any]:
        """What ``decide_appeal`` asks for; for a valid form."""
        given = self.cleaned_data
        own = [given["reasoning"]] if given["reasoning"] else []
        return {
            "claim_token": given["claim_token"],
            "outcome": Appeal.Outcome(given["outcome"]),
            "reasoning": "\n".join([*given["ready"], *own]),
        }


class LookForm(forms.Form):
    derivative = forms.ChoiceField(choices=Reveal.Derivative.choices)
