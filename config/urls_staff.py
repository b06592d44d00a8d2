"""The staff face: sign-in, the console, the desk for appeals, the admin."""

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import include, path

from appeals import urls as appeals
from config.urls_none import handler400, handler403, handler404, handler500
from config.urls_none import urlpatterns as common

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

admin.autodiscover()
# Second factors and groups are nothing to browse or edit (T-38); the libraries register them.
for _model in (Authenticator, EmailAddress, Group):
    admin.site.unregister(_model)
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    *common,
    path("staff/", include("config.urls_accounts")),
    path("staff/", include("reviews.urls")),
    path("staff/appeals/", include((appeals.desk, "appeals_desk"))),
    path("staff/admin/", admin.site.urls),
]
