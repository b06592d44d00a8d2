"""What a new installation starts from."""

import pytest
from django.core.management import call_command

from moderation.models import HashBank
from reviews.models import Policy
from tests.victims.factories import recorded

pytestmark = pytest.mark.django_db


def test_makes_the_banks_and_publishes_the_policies_once(capsys):
    call_command("prepare")
    call_command("prepare")

    assert set(HashBank.objects.values_list("slug", "kind")) == {
        ("cases", "CASES"),
        ("confirmed", "CONFIRMED"),
    }
    assert len(recorded("hashbank.added")) == 2
    published = Policy.objects.current().count()
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"Banks made: 2. Policies published: {published}."
    assert second == "Banks made: 0. Policies published: 0."


def test_leaves_a_bank_as_the_operator_set_it(capsys):
    call_command("prepare")
    HashBank.objects.filter(slug="cases").update(threshold=20, name="Ours")

    call_command("prepare")

    bank = HashBank.objects.get(slug="cases")
    assert (bank.threshold, bank.name) == (20, "Ours")
