import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from moderation import urls
from moderation.models import ApiKey, HashBank, Platform
from moderation.models.partners import Scope
from tests.factories import ContentFactory
from tests.forked import ROOT, database_url
from tests.moderation.api.conftest import (
    ALL_BUT_EVIDENCE,
    BANKS,
    CONTENTS,
    FINGERPRINTS,
    MATCH,
    Caller,
    content,
    file,
    make_key,
    print_of,
    problem_of,
)

HASH = {"hashes": [{"signal_type": "pdq", "value": "ab" * 32}]}
READ = f"{CONTENTS}post-1/"
OPINION = f"{FINGERPRINTS}{'0' * 32}/opinion/"
ROUTES = [CONTENTS, READ, MATCH, BANKS, f"{BANKS}a-b/", FINGERPRINTS, OPINION]


@contextmanager
def another_process(raw: str) -> Iterator[Callable[[], int]]:
    """One that asks with the key when told to, over its own connection, and says the status."""
    environment = {**os.environ, "DATABASE_URL": database_url()}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.moderation.api.key_actor", raw],
        cwd=ROOT,
        env={**environment, "VAR_DIR": str(django_settings.VAR_DIR), "EMBEDDED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout

        def ask() -> int:
            process.stdin.write("ask\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield ask
        process.stdin.close()


class TestWithoutAKey:
    @pytest.mark.parametrize("path", ROUTES)
    def test_every_route_asks_for_one(self, db: None, path: str) -> None:
        response = Client().get(path)

        assert problem_of(response) == (401, "not_authenticated")
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'

    @pytest.mark.parametrize(
        "header",
        [
            "Bearer",
            "Bearer ",
            "Bearer x",
            "Bearer hub_000000000000_secret",
            "Bearer hub_'; DROP TABLE_x",
            "Bearer hub_\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9_x",
            "Bearer hub_00000000000\x00_x",
            "Basic aHViOng=",
            "Token abc",
        ],
    )
    def test_something_else_is_refused(self, platform: Platform, header: str) -> None:
        response = Client().get(READ, headers={"Authorization": header})

        assert problem_of(response) == (401, "authentication_failed")


class TestAKey:
    def test_is_refused_with_another_secret_or_scheme(self, platform: Platform) -> None:
        _, raw = make_key(platform, *ALL_BUT_EVIDENCE)
        _, other = make_key(platform, *ALL_BUT_EVIDENCE)
        mixed = raw[:17] + other[17:]

        for value in (f"Bearer {mixed}", f"Bearer {raw}x", f"Basic {raw}", raw):
            response = Client().get(READ, headers={"Authorization": value})
            assert problem_of(response) == (401, "authentication_failed")

    def test_is_refused_from_the_request_after_it_was_revoked(
        self, platform: Platform
    ) -> None:
        key, raw = make_key(platform, *ALL_BUT_EVIDENCE)
        before = Caller(raw).json(HASH)
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())

        assert before.status_code == 200
        assert problem_of(Caller(raw).json(HASH)) == (401, "authentication_failed")

    @pytest.mark.django_db(transaction=True)
    def test_is_refused_by_another_process_at_once(self, platform: Platform) -> None:
        """That process has used the key a moment before: nothing of it may be remembered there."""
        key, raw = make_key(platform, *ALL_BUT_EVIDENCE)
        with another_process(raw) as ask:
            before = [ask(), ask()]
            ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
            after = ask()

        assert (before, after) == ([404, 404], 401)

    @pytest.mark.parametrize("ended", ["expired", "platform inactive"])
    def test_ends(self, platform: Platform, ended: str) -> None:
        key, raw = make_key(platform, *ALL_BUT_EVIDENCE)
        if ended == "expired":
            ApiKey.objects.filter(pk=key.pk).update(
                expires_at=timezone.now() - timedelta(seconds=1)
            )
        else:
            Platform.objects.filter(pk=platform.pk).update(is_active=False)

        assert problem_of(Caller(raw).json(HASH))[0] == 401

    def test_of_two_live_ones_both_work(self, platform: Platform) -> None:
        raws = [make_key(platform, Scope.MATCH_HASH)[1] for _ in range(2)]

        assert [Caller(raw).json(HASH).status_code for raw in raws] == [200, 200]

    def test_does_only_what_its_scopes_name(self, platform: Platform) -> None:
        deeds = {
            Scope.CONTENT_WRITE: lambda caller: caller.form(**content()),
            Scope.CONTENT_READ: lambda caller: caller.get(READ),
            Scope.MATCH_HASH: lambda caller: caller.json(HASH),
            Scope.MATCH_BYTES: lambda caller: caller.form(MATCH, media=file()),
            Scope.BANK_READ: lambda caller: caller.get(BANKS),
            Scope.BANK_WRITE: lambda caller: caller.json({}, FINGERPRINTS),
            Scope.BANK_OPINION: lambda caller: caller.json({}, OPINION),
        }
        for needed, deed in deeds.items():
            others = [scope for scope in Scope if scope != needed]
            refused = deed(Caller(make_key(platform, *others)[1]))
            taken = deed(Caller(make_key(platform, needed)[1]))

            assert problem_of(refused) == (403, "permission_denied"), needed
            assert taken.status_code not in (401, 403), needed


class TestNetworks:
    """The address is the one that the proxy in front tells, and nothing that the caller writes."""

    @pytest.mark.parametrize(
        ("networks", "address", "status"),
        [
            ([], "203.0.113.9", 200),
            (["203.0.113.0/24"], "203.0.113.9", 200),
            (["203.0.113.0/24"], "::ffff:203.0.113.9", 200),
            (["198.51.100.0/24", "203.0.113.9/32"], "203.0.113.9", 200),
            (["2001:db8::/32"], "2001:db8::1", 200),
            (["203.0.113.0/24"], "203.0.114.9", 401),
            (["203.0.113.0/24"], "2001:db8::1", 401),
            (["203.0.113.0/24"], "", 401),
            (["203.0.113.0/24"], "203.0.113.9, 10.0.0.1", 401),
        ],
    )
    def test_narrow_where_a_key_works(
        self,
        platform: Platform,
        settings: Any,
        networks: list[str],
        address: str,
        status: int,
    ) -> None:
        settings.CLIENT_ADDRESS_META = "HTTP_X_REAL_IP"
        key, raw = make_key(platform, *ALL_BUT_EVIDENCE)
        ApiKey.objects.filter(pk=key.pk).update(networks=networks)

        response = Client().get(
            BANKS, headers={"Authorization": f"Bearer {raw}", "X-Real-IP": address}
        )

        assert response.status_code == status

    def test_trust_no_header_that_is_not_set_up(
        self, platform: Platform, settings: Any
    ) -> None:
        key, raw = make_key(platform, *ALL_BUT_EVIDENCE)
        ApiKey.objects.filter(pk=key.pk).update(networks=["203.0.113.0/24"])

        response = Client().get(
            BANKS,
            headers={"Authorization": f"Bearer {raw}", "X-Real-IP": "203.0.113.9"},
        )

        assert problem_of(response) == (401, "authentication_failed")


class TestAStrangersKey:
    def test_finds_nothing_of_another_platform_at_any_route(
        self,
        platform: Platform,
        own_bank: HashBank,
        stranger: Caller,
        caller: Caller,
    ) -> None:
        row = ContentFactory(platform=platform, external_id="post-1")
        given = {
            "bank": own_bank.slug,
            "fingerprints": [{"signal_type": "pdq", "value": print_of("a").hex()}],
        }
        (added,) = caller.json(given, FINGERPRINTS).json()["fingerprints"]
        content_, bank = f"{CONTENTS}{row.external_id}/", f"{BANKS}{own_bank.slug}/"
        fingerprint = f"{FINGERPRINTS}{added['id']}/"
        pause = {"disabled_until": None}
        deeds = [
            ("content", lambda who: who.get(content_)),
            ("nothing", lambda who: who.get(f"{content_}media/")),
            ("bank", lambda who: who.get(bank)),
            ("bank", lambda who: who.json({"name": "x"}, bank, "PATCH")),
            ("bank", lambda who: who.delete(bank)),
            ("export", lambda who: who.get(f"{bank}export/")),
            ("import", lambda who: who.form(f"{bank}import/")),
            ("fingerprints", lambda who: who.json(given, FINGERPRINTS)),
            ("fingerprint", lambda who: who.get(fingerprint)),
            ("fingerprint", lambda who: who.json(pause, fingerprint, "PATCH")),
            ("fingerprint", lambda who: who.delete(fingerprint)),
        ]
        about_a_row = {one.name for one in urls.urlpatterns if one.pattern.regex.groups}

        # An opinion is about whatever was shown as evidence, also in another's bank.
        assert about_a_row - {name for name, _ in deeds} == {"opinion"}
        for name, deed in deeds:
            assert problem_of(deed(stranger)) == (404, "not_found"), name
        assert own_bank.slug not in str(stranger.get(BANKS).content)
        assert caller.verdict(print_of("a")) == "hold"
        for path in (content_, bank, fingerprint):
            assert caller.get(path).status_code == 200

    def test_may_use_the_same_external_id_for_its_own_content(
        self, stranger: Caller, caller: Caller
    ) -> None:
        mine = caller.form(**content())
        theirs = stranger.form(**content(account_id="ben"))

        assert (mine.status_code, theirs.status_code) == (202, 202)
        assert mine.json()["id"] != theirs.json()["id"]
