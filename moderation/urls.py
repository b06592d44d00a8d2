"""Routes of the platform API, of the partners' lists, and of the stand-ins' pages (in the all-in-one process only)."""

from django.urls import path, re_path

from moderation import api, views
from moderation.api import exchange_ncmec as ncmec
from moderation.api import exchange_stopncii as stopncii
from moderation.http import EXTERNAL_ID

_ID = r"(?P<public_id>[0-9a-f]{32})"
_SLUG = r"(?P<slug>[a-z0-9-]{1,40})"

app_name = "api"
urlpatterns = [
    path("v1/content/", api.Contents.as_view(), name="contents"),
    re_path(
        rf"^v1/content/(?P<external_id>{EXTERNAL_ID})/\Z",
        api.OneContent.as_view(),
        name="content",
    ),
    path("v1/match/", api.MatchView.as_view(), name="match"),
    path("v1/fingerprints/", api.Fingerprints.as_view(), name="fingerprints"),
    re_path(
        rf"^v1/fingerprints/{_ID}/\Z",
        api.OneFingerprint.as_view(),
        name="fingerprint",
    ),
    re_path(
        rf"^v1/fingerprints/{_ID}/opinion/\Z",
        api.Opinions.as_view(),
        name="opinion",
    ),
    path("v1/banks/", api.Banks.as_view(), name="banks"),
    re_path(rf"^v1/banks/{_SLUG}/\Z", api.OneBank.as_view(), name="bank"),
    re_path(rf"^v1/banks/{_SLUG}/import/\Z", api.ImportView.as_view(), name="import"),
    re_path(rf"^v1/banks/{_SLUG}/export/\Z", api.ExportView.as_view(), name="export"),
    path("v1/schema/", api.Schema.as_view(), name="schema"),
    path("v1/docs/", api.Docs.as_view(), name="docs"),
    re_path("", api.Nothing.as_view(), name="nothing"),
]

# As the field's own clients write them: no slash at the end.
exchange = [
    path("stopncii/v1/FetchHashes", stopncii.FetchHashes.as_view(), name="fetch"),
    path("stopncii/v1/SubmitHashes", stopncii.SubmitHashes.as_view(), name="submit"),
    path(
        "stopncii/v1/SubmitFeedback",
        stopncii.SubmitFeedback.as_view(),
        name="feedback",
    ),
    path("ncmec/v2/entries", ncmec.Entries.as_view(), name="entries"),
    path("ncmec/v2/status", ncmec.Status.as_view(), name="status"),
    path("ncmec/v2/members", ncmec.Members.as_view(), name="members"),
    re_path("", api.Nothing.as_view(), name="nothing"),
]

sandbox = [
    path("<slug:alias>/", views.stand_in, name="stand_in"),
    path("<slug:alias>/publish/", views.publish, name="publish"),
    path("<slug:alias>/switch/", views.switch, name="switch"),
    path("<slug:alias>/posts/<int:number>/picture/", views.picture, name="picture"),
    path("<slug:alias>/posts/<int:number>/repost/", views.repost, name="repost"),
    path("<slug:alias>/posts/<int:number>/send/", views.send_again, name="send"),
]
