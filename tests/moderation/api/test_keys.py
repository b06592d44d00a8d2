from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from moderation import urls
from moderation.models import ApiKey, Platform
from moderation.models.partners import Scope
from tests.factories import ContentFactory
from tests.moderation.api.conftest import (
    ALL_BUT_EVIDENCE,
    CONTENTS,
    MATCH,
    Caller,
    content,
    file,
    make_key,
    problem_of,
)

HASH = {"hashes": [{"signal_type": "pdq", "value": "ab" * 32}]}
READ = f"{CONTENTS}post-1/"


class TestWithoutAKey:
    @pytest.mark.parametrize("path", [CONTENTS, READ, MATCH])
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
        }
        for needed, deed in deeds.items():
            others = [scope for scope in Scope if scope != needed]
            refused = deed(Caller(make_key(platform, *others)[1]))
            taken = deed(Caller(make_key(platform, needed)[1]))

            assert problem_of(refused) == (403, "permission_denied"), needed
            assert taken.status_code not in (401, 403), needed


class TestAStrangersKey:
    def test_finds_nothing_of_another_platform_at_any_route(
        self, platform: Platform, stranger: Caller, caller: Caller
    ) -> None:
        row = ContentFactory(platform=platform, external_id="post-1")
        routes = {
            "content": f"{CONTENTS}{row.external_id}/",
            "nothing": f"/api/v1/content/{row.public_id}/media/",
        }
        about_a_row = [one.name for one in urls.urlpatterns if one.pattern.regex.groups]

        assert about_a_row == ["content"]
        assert caller.get(routes["content"]).status_code == 200
        for path in routes.values():
            assert problem_of(stranger.get(path)) == (404, "not_found")

    def test_may_use_the_same_external_id_for_its_own_content(
        self, stranger: Caller, caller: Caller
    ) -> None:
        mine = caller.form(**content())
        theirs = stranger.form(**content(account_id="ben"))

        assert (mine.status_code, theirs.status_code) == (202, 202)
        assert mine.json()["id"] != theirs.json()["id"]
