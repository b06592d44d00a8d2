from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from moderation.models import AuditEntry, HashBank, Platform, User
from tests.factories import HashBankFactory, PlatformFactory, UserFactory
from tests.reviews.signin import let_in

HOME = "/staff/admin/moderation/"
PLATFORM = {"name": "Example", "holds_matches": "on", "flag_threshold": "0.7"}


@pytest.fixture
def administrator(client: Client, db: None) -> User:
    user = UserFactory(is_staff=True, is_superuser=True)
    let_in(client, user)
    return user


def deeds() -> list[tuple[str, Any]]:
    return [
        (entry.facts["verb"], entry.facts["details"].get("fields"))
        for entry in AuditEntry.objects.order_by("pk")
    ]


class TestTheAdmin:
    def test_offers_no_evidence_fingerprint_key_case_or_second_factor(
        self, client: Client, administrator: User
    ) -> None:
        assert client.get("/staff/admin/").status_code == 200

        offered = {model._meta.model_name for model in admin.site._registry}
        assert offered == {"platform", "hashbank", "user", "auditentry", "policy"}

    def test_is_closed_to_reviewers(self, client: Client, reviewer: User) -> None:
        let_in(client, reviewer)

        assert client.get(f"{HOME}platform/").status_code in (302, 403)

    def test_adds_a_platform_and_records_it(
        self, client: Client, administrator: User
    ) -> None:
        client.post(f"{HOME}platform/add/", {"alias": "example", **PLATFORM})

        assert Platform.objects.get(alias="example").flag_threshold == 0.7
        assert [verb for verb, _ in deeds()] == ["platform.added"]
        assert AuditEntry.objects.get().facts["actor"] == f"user:{administrator.pk}"

    def test_changes_a_platform_but_not_its_alias(
        self, client: Client, administrator: User
    ) -> None:
        row = PlatformFactory(alias="example")

        changed = {**PLATFORM, "alias": "other", "is_active": ""}
        client.post(f"{HOME}platform/{row.pk}/change/", changed)

        row.refresh_from_db()
        assert (row.alias, row.is_active) == ("example", False)
        assert deeds() == [("platform.changed", "flag_threshold,is_active")]

    def test_changes_the_rule_of_a_bank(
        self, client: Client, administrator: User
    ) -> None:
        bank = HashBankFactory()

        page = f"{HOME}hashbank/{bank.pk}/change/"
        rule = {"name": bank.name, "review_threshold": "47", "enabled_percent": "100"}

        # Where engines are not exact, or a band would end before it begins, nothing is changed.
        for wrong in ({"threshold": "32"}, {"threshold": "9", "review_threshold": "8"}):
            answer = client.post(page, {**rule, **wrong})
            assert answer.status_code == 200
            assert b"errornote" in answer.content
        client.post(page, {**rule, "threshold": "20"})

        bank.refresh_from_db()
        assert (bank.threshold, bank.is_enabled) == (20, False)
        assert deeds() == [("hashbank.changed", "is_enabled,threshold")]
        assert client.get(f"{HOME}hashbank/add/").status_code == 403

    def test_adds_a_member_of_staff(self, client: Client, administrator: User) -> None:
        passphrase = "a long and unheard phrase 7"
        client.post(
            f"{HOME}user/add/",
            {
                "username": "new",
                "pseudonym": "Wren",
                "role": "REVIEWER",
                "usable_password": "true",
                "password1": passphrase,
                "password2": passphrase,
            },
        )

        user = User.objects.get(username="new")
        assert (user.pseudonym, user.may_review, user.is_staff) == ("Wren", True, False)
        assert [verb for verb, _ in deeds()] == ["user.added"]
        assert passphrase not in AuditEntry.objects.get().text

    def test_records_that_a_passphrase_was_set_for_somebody(
        self, client: Client, administrator: User, reviewer: User
    ) -> None:
        passphrase = "a long and unheard phrase 7"
        page = f"{HOME}user/{reviewer.pk}/password/"
        typed = {"password1": passphrase, "password2": passphrase}
        assert client.post(page, {**typed, "password2": "x"}).status_code == 200
        assert deeds() == []

        client.post(page, {**typed, "usable_password": "true"})

        reviewer.refresh_from_db()
        assert reviewer.check_password(passphrase)
        entry = AuditEntry.objects.get()
        assert entry.facts["verb"] == "user.passphrase_set"
        assert entry.facts["target"] == f"moderation.user:{reviewer.pk}"

    def test_shows_what_a_machine_may_remove_and_cannot_change_it(
        self, client: Client, administrator: User
    ) -> None:
        """It takes two people, and this page knows of one (T-20)."""
        bank = HashBankFactory()
        page = f"{HOME}hashbank/{bank.pk}/change/"
        typed = {"name": "Ours", "threshold": 20, "is_enabled": "on"}
        typed |= {"review_threshold": 47, "enabled_percent": 100}

        assert b"Hide while a person looks" in client.get(page).content
        client.post(page, {**typed, "automatic": "REMOVE"})

        bank.refresh_from_db()
        assert (bank.name, bank.automatic) == ("Ours", HashBank.Automatic.HOLD)

    def test_deletes_nothing(self, client: Client, administrator: User) -> None:
        for row in (PlatformFactory(), HashBankFactory(), administrator):
            name = row._meta.model_name
            assert (
                client.post(f"{HOME}{name}/{row.pk}/delete/", {"post": "yes"})
            ).status_code == 403
        assert Platform.objects.exists()
        assert HashBank.objects.exists()

    def test_lets_the_record_be_read_and_not_written(
        self, client: Client, administrator: User
    ) -> None:
        client.post(f"{HOME}platform/add/", {"alias": "example", **PLATFORM})
        entry = AuditEntry.objects.get()

        page = client.get(f"{HOME}auditentry/")
        change = client.post(f"{HOME}auditentry/{entry.pk}/change/", {"text": "x"})

        assert b"platform.added" in page.content
        assert change.status_code == 403
        assert client.get(f"{HOME}auditentry/add/").status_code == 403
