"""What can be entered on the page of a stand-in."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from moderation.http import EXTERNAL_ID


class PublishForm(forms.Form):
    account = forms.CharField(
        max_length=50,
        validators=[
            RegexValidator(
                rf"^{EXTERNAL_ID}\Z",
                _("Use letters, digits and . _ - only, without a space."),
            )
        ],
    )
    caption = forms.CharField(max_length=500, required=False)
    picture = forms.FileField()
