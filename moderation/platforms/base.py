"""What every platform adapter can do, and how one is found by its alias."""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class PlatformError(Exception):
    """The platform did not confirm. ``code`` is for machines and logs: it never holds words or ids of anybody.

    ``retryable`` says whether the same call may succeed later; if not, a person must look.
    """

    def __init__(self, code: str, *, retryable: bool) -> None:
        super().__init__(code)
        self.code = code
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Target:
    """One content and whoever posted it, by the platform's own ids."""

    account_id: str
    content_id: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the platform says it shows now, and since when it knows of this deed.

    ``state`` is VISIBLE, HELD, REMOVED or DELETED for content, ACTIVE or DISABLED for an account, DELIVERED for words.
    DELETED is an answer, not an error: the account took the content away before we could.
    """

    at: datetime
    state: str


class PlatformAdapter(Protocol):
    """Deeds on a platform. Each is done once for each ``key``: the same call again confirms and changes nothing.

    :raises PlatformError: from every method, when the deed is not confirmed.
    """

    @abstractmethod
    def hold(self, target: Target, key: str) -> Confirmation:
        """Hide the content until it is released or removed."""

    @abstractmethod
    def release(self, target: Target, key: str) -> Confirmation: ...

    @abstractmethod
    def remove(self, target: Target, key: str) -> Confirmation:
        """Show the content to nobody, and keep what a restoration needs."""

    @abstractmethod
    def restore(self, target: Target, key: str) -> Confirmation: ...

    @abstractmethod
    def disable_account(self, target: Target, key: str) -> Confirmation: ...

    @abstractmethod
    def enable_account(self, target: Target, key: str) -> Confirmation: ...

    @abstractmethod
    def notify(
        self, account_id: str, subject: str, body: str, key: str
    ) -> Confirmation:
        """Bring words to an account, unchanged."""

    def apply(self, action: str, target: Target, key: str) -> Confirmation:
        """Do the deed that an order names: ``apply("DISABLE_ACCOUNT", …)`` calls ``disable_account``."""
        deeds = {
            "HOLD": self.hold,
            "RELEASE": self.release,
            "REMOVE": self.remove,
            "RESTORE": self.restore,
            "DISABLE_ACCOUNT": self.disable_account,
            "ENABLE_ACCOUNT": self.enable_account,
        }
        return deeds[action](target, key)


def get_platform(alias: str) -> PlatformAdapter:
    """The adapter that ``settings.PLATFORMS`` names for this alias.

    :raises PlatformError: if there is none; retryable, because work must wait for a forgotten setting, not die of it.
    """
    entry = settings.PLATFORMS.get(alias)
    if entry is None:
        raise PlatformError("not_configured", retryable=True)
    adapter: PlatformAdapter = import_string(entry["ADAPTER"])(
        **entry.get("OPTIONS", {})
    )
    return adapter
