"""Routes of the appeals face, and of the desk for appeals on the staff face."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from appeals.views import desk as desk_views
from appeals.views import public as public_views

public: list[URLPattern] = [
    path("again/", public_views.closed, name="closed"),
    path(
        "again/language/",
        login_not_required(require_POST(set_language)),
        name="language",
    ),
    path("again/decision/", public_views.decision, name="decision"),
    path("again/why/", public_views.ground, name="ground"),
    path("again/status/", public_views.status, name="status"),
    # The last: a token is whatever is none of the above.
    path("again/<str:raw>/", public_views.link, name="link"),
]

desk: list[URLPattern] = [
    path("", desk_views.queue, name="queue"),
    path("next/", desk_views.claim, name="claim"),
    path("items/<int:pk>/", desk_views.item, name="item"),
    path("items/<int:pk>/picture/", desk_views.picture, name="picture"),
    path("items/<int:pk>/look/", desk_views.reveal, name="reveal"),
    path("items/<int:pk>/alive/", desk_views.alive, name="alive"),
    path("items/<int:pk>/leave/", desk_views.leave, name="leave"),
    path("items/<int:pk>/back/", desk_views.release, name="release"),
    path("items/<int:pk>/answer/", desk_views.decide, name="decide"),
    path("looks/<str:link>/", desk_views.look, name="look"),
]
