"""What an administrator may change here: platforms, banks' rules, staff. Every change is in the record.

Left out on purpose (T-38): evidence, fingerprints, keys, cases, decisions. The record can be read and not written.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from moderation.models import AuditEntry, HashBank, Platform, User


class Recorded(admin.ModelAdmin):  # type: ignore[type-arg]
    """Changes and their audit entry share the admin's transaction; nothing is deleted, because rows refer to it."""

    def save_model(
        self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)  # noqa: S101 (the admin is behind a sign-in)
        AuditEntry.record(
            actor=request.user,
            verb=f"{obj._meta.model_name}.{'changed' if change else 'added'}",
            target=obj,
            fields=",".join(sorted(form.changed_data)),
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Platform)
class PlatformAdmin(Recorded):
    list_display = ["alias", "name", "is_active", "holds_matches", "flag_threshold"]
    fields = ["alias", "name", "is_active", "holds_matches", "flag_threshold"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # The alias is how the settings name the platform's adapter.
        return ["alias"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool
    ) -> None:
        if not change:
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)


@admin.register(HashBank)
class HashBankAdmin(Recorded):
    list_display = ["slug", "name", "kind", "threshold", "automatic", "is_enabled"]
    fields = [
        "slug",
        "name",
        "kind",
        "threshold",
        "review_threshold",
        "is_enabled",
        "enabled_percent",
        "automatic",
        "automatic_by",
        "automatic_approved_by",
        "automatic_since",
    ]
    # What a machine may do alone takes two people: ``manage.py set_automatic`` asks for both (T-20).
    readonly_fields = [
        "slug",
        "kind",
        "automatic",
        "automatic_by",
        "automatic_approved_by",
        "automatic_since",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(User)
class StaffAdmin(Recorded, UserAdmin):  # type: ignore[type-arg]
    list_display = ["username", "pseudonym", "role", "is_active", "is_superuser"]
    list_filter = ["role", "is_active"]
    search_fields = ["username", "pseudonym"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Work", {"fields": ["pseudonym", "role"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser"]}),
    ]
    add_fieldsets = [
        (
            None,
            {
                "fields": [
                    "username",
                    "pseudonym",
                    "role",
                    "usable_password",
                    "password1",
                    "password2",
                ]
            },
        )
    ]

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Another's passphrase, in the record like any change; Django saves it past ``save_model``."""
        assert isinstance(request.user, User)  # noqa: S101 (the admin is behind a sign-in)
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == 302:
                AuditEntry.record(
                    actor=request.user,
                    verb="user.passphrase_set",
                    target=User.objects.get(pk=id),
                )
        return response


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Reading only; the database refuses the rest anyway."""

    list_display = ["stream", "number", "text"]
    list_filter = ["stream"]
    ordering = ["-pk"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
