"""The API face: connected platforms only."""

from django.urls import include, path

from config.urls_none import handler400, handler403, handler404, handler500
from config.urls_none import urlpatterns as common
from moderation import urls as moderation

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    *common,
    path("api/", include("moderation.urls")),
    path("exchange/", include((moderation.exchange, "exchange"))),
]
