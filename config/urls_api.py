"""The API face: connected platforms only."""

from django.urls import include, path

from config.urls_none import handler400, handler403, handler404, handler500
from config.urls_none import urlpatterns as common

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*common, path("api/", include("moderation.urls"))]
