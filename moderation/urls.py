"""Routes of the platform API, and of the stand-ins' pages (which only the all-in-one process serves)."""

from django.urls import path, re_path

from moderation import api, views
from moderation.http import EXTERNAL_ID

app_name = "api"
urlpatterns = [
    path("v1/content/", api.Contents.as_view(), name="contents"),
    re_path(
        rf"^v1/content/(?P<external_id>{EXTERNAL_ID})/\Z",
        api.OneContent.as_view(),
        name="content",
    ),
    path("v1/match/", api.MatchView.as_view(), name="match"),
    path("v1/schema/", api.Schema.as_view(), name="schema"),
    path("v1/docs/", api.Docs.as_view(), name="docs"),
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
