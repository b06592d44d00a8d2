"""The hub: the public face for a person whose image was shared."""

from django.urls import include, path

from config.urls_none import handler400, handler403, handler404, handler500
from config.urls_none import urlpatterns as common

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*common, path("", include("victims.urls"))]
