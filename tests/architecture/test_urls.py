"""Which pages each face has, and which of them need no sign-in: a new one is noticed here (T-34, T-38)."""

from collections.abc import Iterator

import pytest
from django.urls import URLResolver, get_resolver

COMMON = {"livez", "readyz", "metrics"}
PUBLIC = {
    "config.urls_hub": {
        "victims:about", "victims:age", "victims:before", "victims:choose", "victims:device", "victims:first",
        "victims:help", "victims:language", "victims:leave", "victims:leave_number", "victims:leaving", "victims:lost",
        "victims:make", "victims:next", "victims:now", "victims:number", "victims:open", "victims:other",
        "victims:quiet", "victims:ready", "victims:speak", "victims:start", "victims:stop", "victims:stopped",
        "victims:who", "victims:without", "victims:worker",
    },
    "config.urls_appeals": {
        "appeals:closed", "appeals:decision", "appeals:ground", "appeals:language", "appeals:link", "appeals:status",
    },
    # Before anybody is known: name and passphrase, the second factor, and the way out.
    "config.urls_staff": {"account_login", "account_logout", "mfa_authenticate"},
    # Each of these asks for a platform's key itself (moderation.access); "nothing" answers 404.
    "config.urls_api": {
        "api:bank", "api:banks", "api:content", "api:contents", "api:docs", "api:export", "api:fingerprint",
        "api:fingerprints", "api:import", "api:match", "api:nothing", "api:opinion", "api:schema",
        "exchange:entries", "exchange:feedback", "exchange:fetch", "exchange:members", "exchange:nothing",
        "exchange:status", "exchange:submit",
    },
}  # fmt: skip
STAFF = {
    "account_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_generate_recovery_codes", "mfa_index",
    "mfa_reauthenticate", "mfa_view_recovery_codes",
    "reviews:alive", "reviews:approvals", "reviews:approve", "reviews:claim", "reviews:decide", "reviews:decline",
    "reviews:item", "reviews:leave", "reviews:look", "reviews:picture", "reviews:queue", "reviews:release",
    "reviews:reveal",
    "appeals_desk:alive", "appeals_desk:claim", "appeals_desk:decide", "appeals_desk:item", "appeals_desk:leave",
    "appeals_desk:look", "appeals_desk:picture", "appeals_desk:queue", "appeals_desk:release", "appeals_desk:reveal",
}  # fmt: skip


def views(face: str) -> dict[str, bool]:
    """Every named view of a face, the admin apart: whether it needs a sign-in."""
    return dict(_walk(get_resolver(face)))


def _walk(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, bool]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                inner = f"{space}{entry.namespace}:" if entry.namespace else space
                yield from _walk(entry, inner)
        else:
            needs_login = getattr(entry.callback, "login_required", True)
            yield f"{space}{entry.name}", needs_login


@pytest.mark.parametrize("face", sorted(PUBLIC))
def test_a_face_shows_without_a_sign_in_what_is_listed_and_nothing_else(face):
    public = {name for name, needs_login in views(face).items() if not needs_login}

    assert public == PUBLIC[face] | COMMON


@pytest.mark.parametrize("face", sorted(PUBLIC))
def test_only_the_staff_face_has_anything_behind_a_sign_in(face):
    private = {name for name, needs_login in views(face).items() if needs_login}

    assert private == (STAFF if face == "config.urls_staff" else set())


def test_the_stand_ins_are_on_no_face_of_production():
    for face in PUBLIC:
        assert not any(name.startswith("sandbox:") for name in views(face))
    assert any(name.startswith("sandbox:") for name in views("config.urls"))


def test_the_admin_is_behind_the_staff_sign_in(client, db):
    answer = client.get("/staff/admin/", follow=True)

    assert answer.redirect_chain[-1][0].startswith("/staff/login/")
