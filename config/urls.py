"""All faces in one process, and the stand-ins for two platforms: for trying and developing only."""

from django.urls import include, path

from config.urls_api import urlpatterns as api
from config.urls_appeals import urlpatterns as appeals
from config.urls_hub import urlpatterns as hub
from config.urls_none import handler400, handler403, handler404, handler500
from config.urls_staff import urlpatterns as staff
from moderation import urls as moderation

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    *api,
    *staff,
    path("sandbox/", include((moderation.sandbox, "sandbox"))),
    *appeals,
    *hub,
]
