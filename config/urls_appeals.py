"""The appeals face: its own host and cookie, no sign-in."""

from django.urls import include, path

from appeals import urls as appeals
from config.urls_none import handler400, handler403, handler404, handler500
from config.urls_none import urlpatterns as common

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*common, path("", include((appeals.public, "appeals")))]
