"""T-31: a call that is repeated because its answer was lost gets that answer, and does nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from moderation import api, urls
from moderation.models import (
    BankedHash,
    Content,
    HashBank,
    IdempotentCall,
    Platform,
)
from moderation.services import idempotency
from tests.moderation.api.conftest import (
    BANKS,
    FINGERPRINTS,
    Caller,
    content,
    entry,
    file,
    make_key,
    print_of,
    problem_of,
)
from tests.moderation.api.test_content import at_once
from tests.moderation.api.test_match import asked, bank

A = print_of("a")
BODY = {"bank": "facebook-own", "fingerprints": [entry(A)]}
OTHER = {"bank": "facebook-own", "fingerprints": [entry(print_of("b"))]}


def add(caller: Caller, body: Any = BODY, name: str = "call-1") -> HttpResponse:
    return caller.json(body, FINGERPRINTS, **{"Idempotency-Key": name})


@pytest.mark.usefixtures("own_bank")
class TestTheSameCall:
    def test_gets_the_same_answer_and_does_nothing(self, caller: Caller) -> None:
        first = add(caller)
        BankedHash.objects.all().delete()

        again = add(caller)

        assert (first.status_code, first.content) == (again.status_code, again.content)
        assert not BankedHash.objects.exists()

    def test_is_known_by_what_it_says_and_not_by_how_it_is_written(
        self, caller: Caller
    ) -> None:
        first = add(caller)
        spaced = str(BODY).replace("'", '"').encode()

        assert add(caller, spaced).content == first.content

    def test_may_be_a_form_whose_boundary_is_another_one(self, caller: Caller) -> None:
        answers = [
            caller.form(headers={"Idempotency-Key": "call-1"}, **content(media=file()))
            for _ in range(2)
        ]

        assert [one.status_code for one in answers] == [202, 202]
        assert answers[0].content == answers[1].content
        assert Content.objects.count() == 1

    def test_with_another_body_is_refused(self, caller: Caller) -> None:
        add(caller)

        assert problem_of(add(caller, OTHER)) == (422, "idempotency_key_reused")
        assert BankedHash.objects.count() == 1

    def test_at_another_route_is_refused(self, caller: Caller) -> None:
        caller.json({}, f"{FINGERPRINTS}{'0' * 32}/opinion/")
        new = {"slug": "facebook-new", "name": "New"}
        caller.json(new, BANKS, **{"Idempotency-Key": "call-1"})

        assert problem_of(add(caller)) == (422, "idempotency_key_reused")

    def test_with_another_file_is_refused(self, caller: Caller) -> None:
        name = {"Idempotency-Key": "call-1"}
        caller.form(headers=name, **content())
        other = content(media=file(b"\xff\xd8\xff other"))

        refused = caller.form(headers=name, **other)

        assert problem_of(refused) == (422, "idempotency_key_reused")

    def test_of_another_key_is_another_call(
        self, caller: Caller, platform: Platform
    ) -> None:
        add(caller)
        second = Caller(make_key(platform, *["bank:write"])[1])

        assert add(second, OTHER).status_code == 201

    def test_that_was_refused_may_be_tried_again(self, caller: Caller) -> None:
        wrong = {**BODY, "bank": "facebook-unknown"}

        assert problem_of(add(caller, wrong)) == (404, "not_found")
        assert not IdempotentCall.objects.exists()
        assert add(caller).status_code == 201

    def test_after_a_day_is_a_new_one(self, caller: Caller) -> None:
        add(caller)
        day = timezone.now() - idempotency.KEPT - timedelta(seconds=1)
        IdempotentCall.objects.update(called_at=day)

        assert add(caller, OTHER).status_code == 201

    def test_while_the_first_runs_is_refused(self, caller: Caller) -> None:
        add(caller)
        IdempotentCall.objects.update(status=None, answer=None)

        assert problem_of(add(caller)) == (409, "still_running")

    def test_goes_on_where_the_first_was_killed(self, caller: Caller) -> None:
        first = add(caller)
        long_ago = timezone.now() - timedelta(minutes=11)
        IdempotentCall.objects.update(status=None, answer=None, called_at=long_ago)

        assert add(caller).content == first.content
        assert BankedHash.objects.count() == 1

    @pytest.mark.parametrize("name", ["", " ", "a b", "é", "x" * 201])
    def test_is_named_in_plain_letters(self, caller: Caller, name: str) -> None:
        assert problem_of(add(caller, name=name)) == (400, "invalid")

    def test_leaves_no_value_behind(self, caller: Caller) -> None:
        add(caller)

        row = IdempotentCall.objects.get()
        assert A.hex() not in f"{row.answer} {row.body_index} {row.name_index}"


class TestAsking:
    def test_is_answered_anew_each_time(self, caller: Caller, cases: HashBank) -> None:
        """A verdict that is kept would be an old one: zero-stale comes first."""
        name = {"Idempotency-Key": "call-1"}
        before = caller.json(asked(A), **name).json()["answers"][0]["verdict"]
        bank(A)

        after = caller.json(asked(A), **name).json()["answers"][0]["verdict"]

        assert (before, after) == ("allow", "hold")
        assert not IdempotentCall.objects.exists()


def test_every_deed_takes_the_header() -> None:
    views = [one.callback.view_class for one in urls.urlpatterns]
    deeds = {view for view in views if hasattr(view, "post")} - {api.MatchView}

    assert deeds
    assert all(hasattr(view.post, "__wrapped__") for view in deeds)


@pytest.mark.django_db(transaction=True)
class TestARace:
    def test_does_the_deed_once(self, caller: Caller, own_bank: HashBank) -> None:
        new = {"slug": "facebook-raced", "name": "Raced"}

        def call(_: int) -> HttpResponse:
            return caller.json(new, BANKS, **{"Idempotency-Key": "race"})

        answers = [(one.status_code, one.content) for one in at_once(call)]

        done = {content for status, content in answers if status == 201}
        others = {status for status, _ in answers} - {201}
        assert len(done) == 1
        assert others <= {409}
        assert not any(b"bank_taken" in content for _, content in answers)
        assert HashBank.objects.filter(slug="facebook-raced").count() == 1
