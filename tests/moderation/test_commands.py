"""The operator's commands: keys and staff."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from moderation import pipeline
from moderation.models import (
    ApiKey,
    AuditEntry,
    Flag,
    LookBack,
    Platform,
    User,
)
from tests.factories import NOW, PlatformFactory, UserFactory
from tests.moderation.sendings import bank, receive, resaved
from tests.reviews.signin import enrol, let_in

pytestmark = pytest.mark.django_db


def verbs() -> list[str]:
    return [entry.facts["verb"] for entry in AuditEntry.objects.order_by("pk")]


class TestMakeKey:
    def test_shows_a_key_that_works_and_keeps_only_its_digest(self, capsys):
        PlatformFactory()
        call_command("make_key", "facebook", "--scope", "match:hash", "--days", "7")
        raw = capsys.readouterr().out.strip()

        prefix, secret = ApiKey.split(raw) or ("", "")
        key = ApiKey.objects.live(timezone.now()).get(prefix=prefix)
        assert key.opens_with(secret)
        assert key.scopes == ["match:hash"]
        assert secret not in key.secret_sha256
        assert verbs() == ["key.made"]

    def test_makes_a_platform_that_has_a_name(self):
        with pytest.raises(CommandError, match="--name"):
            call_command("make_key", "harbour", "--scope", "match:hash")
        call_command(
            "make_key", "harbour", "--scope", "match:hash", "--name", "Harbour"
        )

        assert Platform.objects.get().name == "Harbour"

    def test_refuses_a_key_for_ever(self):
        PlatformFactory()
        with pytest.raises(CommandError, match="365"):
            call_command(
                "make_key", "facebook", "--scope", "match:hash", "--days", "366"
            )

    def test_narrows_a_key_to_networks(self):
        PlatformFactory()
        make = ("make_key", "facebook", "--scope", "match:hash", "--network")
        call_command(*make, "203.0.113.0/24", "--network", "2001:db8::/32")
        with pytest.raises(CommandError, match="no network"):
            call_command(*make, "203.0.113.9/24")

        assert ApiKey.objects.get().networks == ["203.0.113.0/24", "2001:db8::/32"]

    def test_says_when_more_than_two_could_be_in_use(self, capsys):
        PlatformFactory()
        for scope in ("match:bytes", *["match:hash"] * 3):
            call_command("make_key", "facebook", "--scope", scope)

        first, second, _ = ApiKey.objects.filter(scopes=["match:hash"]).order_by("pk")
        (warning,) = capsys.readouterr().err.strip().splitlines()
        assert "facebook now has 3 live keys" in warning
        assert f"{first.prefix}, {second.prefix}." in warning


class TestRevokeKey:
    def test_ends_a_key_once(self, capsys):
        PlatformFactory()
        call_command("make_key", "facebook", "--scope", "match:hash")
        prefix = capsys.readouterr().out.split("_")[1]

        call_command("revoke_key", prefix)

        assert not ApiKey.objects.live(timezone.now()).exists()
        with pytest.raises(CommandError, match="no live key"):
            call_command("revoke_key", prefix)


class TestMakeStaff:
    def test_shows_the_passphrase_once(self, capsys):
        call_command("make_staff", "kit", "--pseudonym", "Kit", "--role", "SENIOR")
        passphrase = capsys.readouterr().out.strip()

        user = User.objects.get()
        assert user.check_password(passphrase)
        assert (user.role, user.is_superuser) == ("SENIOR", False)

    def test_refuses_a_name_that_is_taken(self):
        UserFactory(username="kit")
        with pytest.raises(CommandError, match="taken"):
            call_command("make_staff", "kit", "--pseudonym", "Kit")


class TestResetSecondFactor:
    def test_takes_the_factor_and_the_sessions_of_this_person_only(self):
        lost, other = UserFactory(), UserFactory()
        for user in (lost, other):
            enrol(user)
            let_in(Client(), user)

        call_command("reset_second_factor", lost.username)

        assert {row.user for row in Authenticator.objects.all()} == {other}
        left = [session.get_decoded() for session in Session.objects.all()]
        assert [found["_auth_user_id"] for found in left] == [str(other.pk)]

    def test_refuses_a_stranger(self):
        with pytest.raises(CommandError, match="no member"):
            call_command("reset_second_factor", "stranger")


class TestLookBack:
    def test_says_what_waits_and_carries_it_through(self, platform, pictures, capsys):
        picture = (pictures / "chelsea.png").read_bytes()
        content = receive(platform, resaved(picture))
        pipeline.check(content, NOW)
        bank(picture)

        call_command("look_back")
        assert "no pass has yet: 1" in capsys.readouterr().out
        call_command("look_back", "--run")

        assert "no pass has yet: 0" in capsys.readouterr().out
        assert Flag.objects.get().content == content
        assert LookBack.objects.get().work_state == "DONE"
