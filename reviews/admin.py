"""The admin shows the policies and changes nothing: a new version comes with a release (T-38)."""

from django.contrib import admin
from django.http import HttpRequest

from reviews.models import Policy


@admin.register(Policy)
class PolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["slug", "version", "is_current", "outcome", "severity"]
    list_filter = ["is_current", "outcome"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Policy | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Policy | None = None
    ) -> bool:
        return False
