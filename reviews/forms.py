"""What reviewers may send."""

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from reviews.models import Policy, Reveal
from reviews.services import FACTS, REASONS

# The account reads facts and reasons: nothing that names or reaches anybody may stand there.
_REACHES_SOMEBODY = re.compile(r"@|https?:|www\.|\d{5,}", re.IGNORECASE)
_KEYS = 9


def names_nobody(text: str) -> None:
    if _REACHES_SOMEBODY.search(text):
        raise ValidationError(
            _(
                "The account reads this. Leave out names, handles, addresses, links and long numbers."
            )
        )


class LookForm(forms.Form):
    derivative = forms.ChoiceField(choices=Reveal.Derivative.choices)


class Account:
    """What happens to the account. A radio, not a box that script would have to tick for each policy."""

    PROPOSED = "PROPOSED"
    SPARED = "SPARED"
    CHOICES = [
        (PROPOSED, _("As the policy says")),
        (SPARED, _("Leave the account alone, for the reason in my notes")),
    ]


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One line of the picker."""

    policy: Policy
    key: str
    is_chosen: bool
    reason: str
    guidance: list[str]


class DecisionForm(forms.Form):
    claim_token = forms.CharField(max_length=32, widget=forms.HiddenInput)
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    policy = forms.ModelChoiceField(
        Policy.objects.none(),
        error_messages={
            "required": _("Choose a policy."),
            "invalid_choice": _("This policy was changed meanwhile. Choose again."),
        },
    )
    account = forms.ChoiceField(choices=Account.CHOICES, initial=Account.PROPOSED)
    seen = forms.MultipleChoiceField(
        required=False, choices=[(key, _(text)) for key, text in FACTS.items()]
    )
    facts = forms.CharField(
        required=False, max_length=500, validators=[names_nobody], strip=True
    )
    reasoning = forms.CharField(
        max_length=1000,
        validators=[names_nobody],
        error_messages={"required": _("Say why the rule applies, or why it does not.")},
    )
    private_notes = forms.CharField(required=False, max_length=2000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        policies: Any = self.fields["policy"]
        policies.queryset = Policy.objects.decidable()

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not given.get("seen") and not given.get("facts") and "facts" in given:
            self.add_error("facts", _("Choose what you saw, or write it down."))
        policy = given.get("policy")
        spared = given.get("account") == Account.SPARED
        if policy and policy.closes_account and spared:
            self._ask_why()
        return given

    def _ask_why(self) -> None:
        if not self.cleaned_data.get("private_notes"):
            self.add_error(
                "private_notes", _("Note why the account is left alone this time.")
            )

    def words(self) -> dict[str, Any]:
        """What the statement is made from; for a valid form."""
        given = self.cleaned_data
        policy: Policy = given["policy"]
        own = " ".join(given["facts"].split())
        lines = [FACTS[key] for key in FACTS if key in given["seen"]]
        return {
            "policy": policy,
            "disables_account": policy.closes_account
            and given["account"] == Account.PROPOSED,
            "facts": "\n".join([*lines, own] if own else lines),
            "reasoning": " ".join(given["reasoning"].split()),
        }

    def answer(self) -> dict[str, Any]:
        """What ``decide`` asks for; for a valid form."""
        given = self.cleaned_data
        return {
            **self.words(),
            "claim_token": given["claim_token"],
            "version": given["version"],
            "removes": given["policy"].removes,
            "private_notes": given["private_notes"],
        }

    def breaking(self) -> list[PolicyRow]:
        return self._rows(Policy.Outcome.VIOLATES)

    def keeping(self) -> list[PolicyRow]:
        return self._rows(Policy.Outcome.KEEP)

    def _rows(self, outcome: str) -> list[PolicyRow]:
        chosen = str(self["policy"].value() or "")
        field: Any = self.fields["policy"]
        policies = [row for row in field.queryset if row.outcome == outcome]
        has_keys = outcome == Policy.Outcome.VIOLATES
        return [
            PolicyRow(
                policy=policy,
                key=str(number) if has_keys and number <= _KEYS else "",
                is_chosen=str(policy.pk) == chosen,
                reason=REASONS.get(policy.slug, ""),
                guidance=policy.guidance.splitlines(),
            )
            for number, policy in enumerate(policies, 1)
        ]

    def kept_words(self) -> list[tuple[str, str]]:
        """What was typed, so that it can be copied when the answer could not be taken."""
        typed = [
            (_("Facts"), self["facts"].value()),
            (_("Reasons"), self["reasoning"].value()),
            (_("Private notes"), self["private_notes"].value()),
        ]
        return [(str(label), str(text)) for label, text in typed if text]
