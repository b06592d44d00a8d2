"""Several processes share, withdraw and read at once: seconds are in the order of the commits, so nothing is lost."""

import pytest
from django.utils import timezone

from moderation.models import ListClock, ListedHash
from tests import forked
from tests.factories import HashBankFactory, PlatformFactory
from tests.moderation.exchange.conftest import Reader, value
from tests.moderation.exchange.list_actor import DEEDS, WRITERS, span

pytestmark = pytest.mark.django_db(transaction=True)


def test_readers_end_with_what_is_live():
    HashBankFactory()
    partner = PlatformFactory()

    said = forked.together(
        "tests.moderation.exchange.list_actor", "work", range(WRITERS + 2)
    )

    live = {
        value(1000 * writer + deed)
        for writer in range(WRITERS)
        for deed in range(DEEDS)
        if deed % 3 != 2
    }
    held, start = said[WRITERS]
    reader = Reader(partner, size=3, start=start)
    reader.held = {("pdq", bytes.fromhex(one)): None for one in held}
    assert reader.poll(timezone.now()).values == live
    held, since = said[WRITERS + 1]
    span(partner, since, held)
    assert {bytes.fromhex(one) for one in held.values()} == live


def test_no_two_changes_have_a_second_in_common():
    HashBankFactory()
    PlatformFactory()

    forked.together("tests.moderation.exchange.list_actor", "work", range(WRITERS))

    seconds = list(ListedHash.objects.values_list("changed_second", flat=True))
    assert len(set(seconds)) == len(seconds) == WRITERS * DEEDS
    assert ListClock.objects.get().second == max(seconds)
