"""Several processes bank, withdraw and match at once: numbers are in the order of the commits, so nothing is lost."""

import pytest

from moderation.models import AuditEntry, BankCounter, BankedHash
from moderation.pipeline.index import BankIndex
from tests import forked
from tests.factories import HashBankFactory
from tests.moderation.bank_actor import HASH, ROUNDS

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = 3


def test_what_was_committed_is_matched_and_what_was_withdrawn_is_not():
    HashBankFactory()

    said = forked.together("tests.moderation.bank_actor", "work", range(2 * WRITERS))

    assert said == [[0]] * (2 * WRITERS)
    counter = BankCounter.objects.get()
    rows = BankedHash.objects.all()
    assert counter.number == WRITERS * (ROUNDS + ROUNDS // 2)
    assert counter.live_count == rows.count() == WRITERS * ROUNDS // 2
    numbers = {one.id for one in BankIndex().match([HASH], 31)}
    assert numbers == set(rows.values_list("number", flat=True))
    added = AuditEntry.objects.filter(text__contains="bank.added").count()
    assert added == WRITERS * ROUNDS
