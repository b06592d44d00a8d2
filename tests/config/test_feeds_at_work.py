"""A worker reads a partner's list with its own role, and can plant nothing but claims of partners (T-27, T-49)."""

from collections.abc import Iterator

import pytest
from django.db import ProgrammingError, transaction

from moderation import pipeline
from moderation.models import BankedHash, Feed, HashBank
from moderation.pipeline.fetching import order_fetches
from moderation.services import feeds
from tests.factories import NOW, BankedHashFactory, HashBankFactory
from tests.moderation.feeds.conftest import KEYS, pdqs
from tests.moderation.feeds.partner import Partner

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def partner() -> Iterator[Partner]:
    partner = Partner()
    partner.open()
    yield partner
    partner.close()


def test_brings_and_takes_out_with_no_more_than_is_granted(face, partner):
    gone, stays = pdqs(2)
    feed = feeds.add_feed(
        slug="list",
        kind=Feed.Kind.STOPNCII,
        address=partner.address,
        credentials=KEYS[Feed.Kind.STOPNCII],
        actor="operator",
        now=NOW,
    )
    for status in ("Active", "Withdrawn"):
        partner.add(gone, status)
        partner.add(stays)
        Feed.objects.update(next_fetch_at=NOW)
        with face("worker"):
            order_fetches(NOW)
            work = feed.fetches.order_by("pk").last()
            assert pipeline.fetch(work, NOW) is None
        work.refresh_from_db()
        assert work.work_state == "DONE"

    assert BankedHash.objects.filter(bank=feed.bank).count() == 1


@pytest.mark.parametrize(
    ("kind", "standing"),
    [(HashBank.Kind.CONFIRMED, "CLAIMED"), (HashBank.Kind.PARTNER, "CONFIRMED")],
)
def test_plants_nothing_that_could_block(face, kind, standing):
    bank = HashBankFactory(slug="bank", kind=kind)

    with (
        face("worker"),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        BankedHashFactory(bank=bank, standing=standing)


def test_cannot_change_who_is_fetched_from(face, partner):
    with (
        face("worker"),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        Feed.objects.update(address="https://elsewhere.example/v1")
