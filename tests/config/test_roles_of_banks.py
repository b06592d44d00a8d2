"""Through the API face a platform's banks are changed and no others, even by whoever has taken the face over (T-49)."""

import pytest
from django.utils import timezone

from moderation.models import BankedHash, HashBank
from moderation.services import bank_hash
from tests.config.test_roles_at_work import refused
from tests.factories import HashBankFactory, PlatformFactory
from tests.moderation.api.conftest import print_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def own(db) -> HashBank:
    platform = PlatformFactory()
    return HashBankFactory(slug="facebook-own", kind="PARTNER", owner=platform)


@pytest.fixture
def theirs(db) -> BankedHash:
    """A person's fingerprint."""
    HashBankFactory()
    return banked("cases", "theirs")


def banked(bank: str, name: str) -> BankedHash:
    return bank_hash(
        bank=bank, signal_type="pdq", value=print_of(name), quality=None,
        source_ref=f"{name:x<32}", actor="test", now=timezone.now(),
    )  # fmt: skip


def another(bank: HashBank, standing: str = "CLAIMED") -> BankedHash:
    return BankedHash(
        bank=bank, signal_type="md5", value_sealed=b"x", value_index="0" * 64,
        source_ref="p" * 32, recipe="md5-1", standing=standing, added_at=timezone.now(),
    )  # fmt: skip


class TestTheApiFace:
    def test_fills_and_empties_a_platforms_bank(self, face, own):
        row = banked(own.slug, "mine")

        with face("api"):
            another(own).save()
            assert BankedHash.objects.filter(pk=row.pk).delete()[0] >= 1

    def test_plants_nothing_that_could_block(self, face, own):
        with face("api"):
            assert refused(lambda: another(own, "CONFIRMED").save())

    def test_adds_nothing_to_a_bank_of_the_house(self, face, theirs):
        with face("api"):
            assert refused(lambda: another(theirs.bank).save())

    def test_takes_nothing_out_of_a_bank_of_the_house(self, face, theirs):
        with face("api"):
            BankedHash.objects.filter(pk=theirs.pk)._raw_delete("default")

        assert BankedHash.objects.filter(pk=theirs.pk).exists()

    def test_switches_no_bank_of_the_house_off(self, face, theirs, own):
        with face("api"):
            changed = HashBank.objects.update(is_enabled=False)

        theirs.bank.refresh_from_db()
        assert (changed, theirs.bank.is_enabled) == (1, True)

    @pytest.mark.parametrize(
        "change", [{"kind": "CONFIRMED"}, {"automatic": "REMOVE"}], ids=str
    )
    def test_lets_no_bank_do_more(self, face, own, change):
        with face("api"):
            assert refused(lambda: HashBank.objects.update(**change))

    @pytest.mark.parametrize(
        "about", [{"kind": "CONFIRMED"}, {"automatic": "REMOVE"}], ids=str
    )
    def test_opens_no_bank_that_does_more(self, face, own, about):
        fields = {"slug": "facebook-more", "name": "x", "kind": "PARTNER", **about}
        with face("api"):
            assert refused(lambda: HashBank(owner=own.owner, **fields).save())

    def test_changes_no_fingerprint_but_its_pause_and_its_doubt(self, face, own):
        row = banked(own.slug, "mine")

        with face("api"):
            for column, value in (
                ("standing", "CONFIRMED"),
                ("value_sealed", b"x"),
                ("bank_id", own.pk),
                ("parked_why", ""),
            ):
                rows = BankedHash.objects.filter(pk=row.pk)
                change = {column: value}
                assert refused(lambda rows=rows, change=change: rows.update(**change))
            assert BankedHash.objects.update(demoted_at=timezone.now()) == 1
