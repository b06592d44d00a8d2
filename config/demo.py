"""What the demonstration starts from: two stand-ins with keys, banks, policies, staff, and a few benign posts.

Everything may be called again: what exists stays as it is. Only for ``EMBEDDED=1``.
"""

import importlib.util
import json
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from django.conf import settings
from django.db import transaction

from config import installation
from moderation import services
from moderation.models import ApiKey, AuditEntry, Platform, User
from moderation.models.partners import Scope
from moderation.platforms import get_platform
from moderation.platforms.sandbox import Sandbox

PLATFORMS = ("facebook", "instagram")
STAFF = (
    ("rowan", "Rowan", User.Role.REVIEWER),
    ("noor", "Noor", User.Role.REVIEWER),
    ("sage", "Sage", User.Role.SENIOR),
)
POSTS = (
    ("facebook", "kim", "rocket.jpg", "Lift-off"),
    ("facebook", "ana", "coffee.png", "Monday"),
    ("instagram", "lee", "hubble_deep_field.jpg", "So many of them"),
)


def set_up(now: datetime) -> None:
    """Make whatever of the demonstration's data is missing."""
    installation.prepare(now)
    for alias in PLATFORMS:
        _platform(alias, now)
    for username, pseudonym, role in STAFF:
        _member(username, pseudonym, role)
    if picture("coffee.png").exists():
        for post in POSTS:
            _post(*post, now=now)


def picture(name: str) -> Path:
    """A benign picture that scikit-image ships."""
    found = importlib.util.find_spec("skimage")
    home = Path(found.origin).parent if found and found.origin else Path()
    return home / "data" / name


def stand_in(alias: str) -> Sandbox:
    adapter = get_platform(alias)
    if not isinstance(adapter, Sandbox):
        raise TypeError(f"{alias} is not a stand-in here.")
    return adapter


def logins() -> dict[str, dict[str, str]]:
    """``{user name: {"passphrase": …, "secret": …}}`` of the demonstration's staff."""
    path = _logins_path()
    if not path.exists():
        return {}
    found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def code(username: str, now: datetime) -> str:
    """The six digits that an authenticator app would show now.

    :raises KeyError: for somebody who is not of the demonstration.
    """
    return code_for(logins()[username]["secret"], now)


def code_for(secret: str, now: datetime) -> str:
    counter = int(now.timestamp()) // 30
    return str(format_hotp_value(hotp_value(secret, counter)))


def _logins_path() -> Path:
    return Path(settings.VAR_DIR) / "demo-logins.json"


def _platform(alias: str, now: datetime) -> None:
    platform, _ = Platform.objects.get_or_create(
        alias=alias, defaults={"name": alias.title(), "created_at": now}
    )
    sandbox = stand_in(alias)
    parts = ApiKey.split(sandbox.key)
    if parts and ApiKey.objects.live(now).filter(prefix=parts[0]).exists():
        return
    prefix, digest, raw = ApiKey.new_secret()
    with transaction.atomic():
        key = ApiKey.objects.create(
            platform=platform,
            prefix=prefix,
            secret_sha256=digest,
            scopes=[
                Scope.CONTENT_WRITE,
                Scope.CONTENT_READ,
                Scope.MATCH_HASH,
                Scope.MATCH_BYTES,
            ],
            created_at=now,
            expires_at=now + timedelta(days=365),
        )
        AuditEntry.record(actor="setup", verb="key.made", target=key)
    sandbox.set_key(raw)


def _member(username: str, pseudonym: str, role: User.Role) -> None:
    user, _ = User.objects.get_or_create(
        username=username, defaults={"pseudonym": pseudonym, "role": role}
    )
    known = logins()
    enrolled = Authenticator.objects.filter(user=user).exists()
    if username in known and enrolled and user.has_usable_password():
        return
    passphrase, secret = secrets.token_urlsafe(15), generate_totp_secret()
    user.set_password(passphrase)
    user.save(update_fields=["password"])
    Authenticator.objects.filter(user=user).delete()
    TOTP.activate(user, secret)
    known[username] = {"passphrase": passphrase, "secret": secret}
    path = _logins_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    os.chmod(path, 0o600)  # noqa: PTH101 (touch leaves the mode of a file that exists)
    path.write_text(json.dumps(known), encoding="utf-8")


def _post(alias: str, account: str, name: str, caption: str, *, now: datetime) -> None:
    sandbox = stand_in(alias)
    if any(post.caption == caption for post in sandbox.posts()):
        return
    data = picture(name).read_bytes()
    post = sandbox.publish(account_id=account, picture=data, caption=caption, now=now)
    services.receive_content(
        platform=Platform.objects.get(alias=alias),
        submission=services.Submission(
            external_id=post.id,
            account_id=account,
            picture=data,
            posted_at=now,
            caption=caption,
        ),
        now=now,
    )
    sandbox.mark_sent(post)
