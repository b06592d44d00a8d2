"""What the partners' lists ask of the database roles: each face does its part, and reads no value that it need not."""

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from config import installation
from moderation import services
from moderation.models import BankedHash, ListedHash, Share, token
from moderation.pipeline import listing
from moderation.services import sharing
from tests.factories import MatchFactory, PlatformFactory
from tests.moderation.exchange.conftest import Reader, bank, share, value, withdraw

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def partner(db):
    installation.prepare(timezone.now())
    return PlatformFactory()


@pytest.fixture
def source(partner) -> str:
    share(source := token(), partner, timezone.now())
    bank(source, value(1), timezone.now())
    return source


@pytest.mark.parametrize("name", ["hub", "staff", "worker", "appeals"])
def test_only_the_face_that_serves_a_list_reads_its_values(face, source, name):
    with face(name), pytest.raises(ProgrammingError), transaction.atomic():
        list(ListedHash.objects.values_list("value_sealed"))


def test_the_hub_lists_what_is_shared_and_withdraws_it(face, partner):
    now, source = timezone.now(), token()
    with face("hub"):
        share(source, partner, now)
        bank(source, value(1), now)
        bank(source, value(2), now)
    reader = Reader(partner).poll(now)
    assert reader.values == {value(1), value(2)}

    with face("hub"):
        withdraw(source, now)
    assert reader.poll(now).values == set()
    assert not Share.objects.exists()


def test_the_hub_takes_a_leave_back(face, partner, source):
    reader = Reader(partner).poll(timezone.now())
    with face("hub"):
        sharing.unshare_source(
            source_ref=source, partner=partner, actor="hub", now=timezone.now()
        )

    assert reader.poll(timezone.now()).values == set()


def test_the_console_tells_the_lists_what_was_confirmed(
    face, partner, source, reviewer
):
    row = BankedHash.objects.get()
    content = MatchFactory(banked_hash=row).content
    with face("staff"):
        services.confirm_matches(
            content=content, cause_ref=token(), actor=reviewer, now=timezone.now()
        )

    assert ListedHash.objects.get().is_confirmed


def test_the_worker_takes_off_what_it_parks_and_forgets_what_was_read(
    face, partner, source
):
    reader = Reader(partner).poll(timezone.now())
    row = BankedHash.objects.get()
    with face("worker"), transaction.atomic():
        row.park(BankedHash.Parked.WIDELY_SEEN)
        listing.on_changed([row], timezone.now())
    reader.poll(timezone.now()).poll(timezone.now())
    with face("worker"):
        assert listing.purge_listed(now=timezone.now()) == 1

    assert not ListedHash.objects.exists()


def test_the_api_reads_a_list_and_marks_how_far_it_was_read(face, partner, source):
    with face("api"):
        reader = Reader(partner).poll(timezone.now())
        found = sharing.read_range(
            partner=partner, since=0, until=0, place="", size=9, now=timezone.now()
        )

    assert reader.values == {value(1)}
    assert found.total == 0
