"""How a list is read: nothing is missed, nothing dead is shown to whoever never saw it live."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Max

from moderation.models import ListClock, ListedHash, token
from moderation.services import sharing
from tests.moderation.exchange.conftest import (
    BEGAN,
    Reader,
    bank,
    share,
    unshare,
    value,
    withdraw,
)

A, B, C = token(), token(), token()
V, W, X = value(1), value(2), value(3)


@pytest.fixture
def twelve(partner, clock) -> list[str]:
    """Sources with one shared fingerprint each, in the order of their lines: ``value(0)`` and so on."""
    sources = [token() for _ in range(12)]
    for number, source in enumerate(sources):
        share(source, partner, next(clock))
        bank(source, value(number), next(clock))
    return sources


class TestASecond:
    def test_belongs_to_one_change_and_is_even(self, partner, clock):
        now = next(clock)
        for number, source in enumerate((A, B, C)):
            share(source, partner, now)
            bank(source, value(number), now)

        seconds = list(ListedHash.objects.values_list("changed_second", flat=True))
        assert len(set(seconds)) == 3
        assert all(second % 2 == 0 for second in seconds)
        assert min(seconds) >= now.timestamp()

    def test_never_goes_back_with_a_clock(self, partner, clock):
        late, early = next(clock) + timedelta(hours=1), next(clock)
        share(A, partner, late)
        bank(A, V, late)
        first = ListClock.objects.get().second
        bank(A, W, early)

        assert ListClock.objects.get().second == first + 2


class TestAReader:
    def test_of_nothing_is_told_the_second_that_it_asked_from(self, partner, clock):
        page = sharing.read_page(
            partner=partner, start=77, place="", size=10, now=next(clock)
        )

        assert (page.lines, page.next_place, page.next_second) == ([], "", 77)

    def test_gets_the_lines_in_the_order_of_their_changes(self, partner, twelve, clock):
        page = sharing.read_page(
            partner=partner, start=BEGAN, place="", size=100, now=next(clock)
        )

        assert [line.value for line in page.lines] == [value(n) for n in range(12)]
        seconds = [line.second for line in page.lines]
        assert seconds == sorted(seconds)

    def test_gets_only_what_is_new_the_next_time(self, partner, twelve, clock):
        reader = Reader(partner).poll(next(clock))
        reader.held.clear()
        bank(twelve[0], W, next(clock))

        assert reader.poll(next(clock)).values == {W}
        reader.held.clear()
        assert reader.poll(next(clock)).values == set()

    @pytest.mark.parametrize("size", [1, 5, 6, 12])
    def test_gets_everything_whatever_the_pages(self, partner, twelve, clock, size):
        reader = Reader(partner, size=size).poll(next(clock))

        assert reader.values == {value(n) for n in range(12)}

    def test_may_stop_after_any_page_and_go_on(self, partner, twelve, clock):
        for pages in range(1, 5):
            reader = Reader(partner, size=3)
            for _ in range(pages):
                reader.page(next(clock))
            reader.break_off().poll(next(clock))

            assert reader.values == {value(n) for n in range(12)}, pages

    def test_is_never_told_an_earlier_second_than_before(self, partner, twelve, clock):
        reader = Reader(partner, size=2)
        told = [BEGAN]
        while reader.page(next(clock)):
            told.append(reader.next)
            withdraw(twelve.pop(), next(clock))
        told.append(reader.next)

        assert told == sorted(told)

    def test_does_not_miss_a_line_that_changes_while_it_reads(
        self, partner, twelve, clock
    ):
        reader = Reader(partner, size=5)
        reader.page(next(clock))
        unshare(twelve[0], partner, next(clock))
        unshare(twelve[11], partner, next(clock))
        bank(twelve[3], W, next(clock))
        reader.poll(next(clock))

        assert reader.values == {value(n) for n in range(1, 11)} | {W}

    @pytest.mark.parametrize("place", ["x", "1", "1.2", "1.a.b.c", "1..-2.3", "9" * 99])
    def test_with_a_place_that_is_none_is_refused(self, partner, clock, place):
        with pytest.raises(sharing.PlaceUnknown):
            sharing.read_page(
                partner=partner, start=BEGAN, place=place, size=9, now=next(clock)
            )


class TestAWithdrawal:
    def test_reaches_who_saw_the_line_live(self, partner, clock):
        share(A, partner, next(clock))
        bank(A, V, next(clock))
        reader = Reader(partner).poll(next(clock))
        withdraw(A, next(clock))

        assert reader.values == {V}
        assert reader.poll(next(clock)).values == set()

    def test_is_not_shown_to_who_comes_after_it(self, partner, clock):
        share(A, partner, next(clock))
        bank(A, V, next(clock))
        withdraw(A, next(clock))
        share(B, partner, next(clock))
        bank(B, W, next(clock))
        newcomer = Reader(partner, knows_withdrawals=False).poll(next(clock))

        assert newcomer.values == {W}
        # Nor the next time, when it goes on from there.
        assert newcomer.poll(next(clock)).values == {W}

    def test_is_not_shown_to_a_newcomer_that_breaks_off_and_goes_on(
        self, partner, twelve, clock
    ):
        withdraw(twelve[8], next(clock))
        newcomer = Reader(partner, knows_withdrawals=False, size=3)
        newcomer.page(next(clock))
        newcomer.page(next(clock))
        newcomer.break_off().poll(next(clock))

        assert newcomer.values == {value(n) for n in range(12) if n != 8}

    def test_reaches_who_saw_the_line_on_an_earlier_page(self, partner, twelve, clock):
        for breaks_off in (False, True):
            reader = Reader(partner, size=4)
            reader.page(next(clock))
            withdraw(twelve.pop(0), next(clock))
            if breaks_off:
                reader.break_off()
            reader.poll(next(clock))
            gone = 12 - len(twelve)

            assert reader.values == {value(n) for n in range(gone, 12)}

    def test_of_a_line_not_read_yet_is_not_shown(self, partner, twelve, clock):
        reader = Reader(partner, knows_withdrawals=False, size=4)
        reader.page(next(clock))
        withdraw(twelve[11], next(clock))
        reader.poll(next(clock))

        assert reader.values == {value(n) for n in range(11)}
        assert reader.poll(next(clock)).values == {value(n) for n in range(11)}

    def test_of_a_line_at_the_very_second_of_the_last_page_is_shown(
        self, partner, clock
    ):
        share(A, partner, next(clock))
        bank(A, V, next(clock))
        reader = Reader(partner).poll(next(clock))
        reader.start = line_second(partner)
        withdraw(A, next(clock))

        assert reader.poll(next(clock)).values == set()

    def test_is_followed_by_the_line_if_it_is_shared_again(self, partner, clock):
        bank(A, V, next(clock))
        share(A, partner, next(clock))
        reader = Reader(partner).poll(next(clock))
        slow = Reader(partner).poll(next(clock))
        unshare(A, partner, next(clock))
        reader.poll(next(clock))
        share(A, partner, next(clock))
        reader.poll(next(clock))
        assert reader.values == {V}
        unshare(A, partner, next(clock))

        assert reader.poll(next(clock)).values == set()
        # One that slept through all of it hears of the end.
        assert slow.poll(next(clock)).values == set()


class TestASpan:
    """The other protocol asks for what changed from one moment until another."""

    def span(self, partner, since, until, now, place="", size=100):
        return sharing.read_range(
            partner=partner,
            since=int(since),
            until=int(until),
            place=place,
            size=size,
            now=now,
        )

    def test_holds_what_changed_in_it_and_nothing_else(self, partner, twelve, clock):
        seconds = sorted(ListedHash.objects.values_list("changed_second", flat=True))
        page = self.span(partner, seconds[2], seconds[5], next(clock))

        assert [line.second for line in page.lines] == seconds[2:5]
        assert page.total == 3

    def test_is_read_in_pages(self, partner, twelve, clock):
        now, values, place = next(clock), [], ""
        while True:
            page = self.span(partner, 0, now.timestamp() - 5, now, place, size=5)
            values += [line.value for line in page.lines]
            place = page.next_place
            if not place:
                break

        assert values == [value(n) for n in range(12)]
        assert page.total == 12

    def test_gets_nothing_more_after_it_was_read(self, partner, clock):
        """A change that was begun before and is committed after has a later second."""
        begun, read = next(clock), next(clock)
        share(A, partner, begun)
        self.span(partner, 0, read.timestamp(), read)
        bank(A, V, begun)

        assert ListedHash.objects.get().changed_second >= read.timestamp()

    def test_up_to_now_holds_what_a_burst_put_ahead_of_the_clock(self, partner, clock):
        now = next(clock)
        for number in range(40):
            share(source := token(), partner, now)
            bank(source, value(number), now)

        page = self.span(partner, 0, now.timestamp() - 5, now)
        assert len(page.lines) == 40

    @pytest.mark.parametrize("hours", [-11, -8, -3.5, 0, 1, 5.75, 14])
    def test_is_whole_for_a_client_that_calls_its_local_time_utc(
        self, partner, clock, hours
    ):
        """It polls every ten minutes; nothing that happens between two polls is lost, or late."""
        held: set[bytes] = set()
        since = 0.0
        for number in range(5):
            now = datetime.fromtimestamp(int(next(clock).timestamp()), UTC)
            until = now.timestamp() - 5
            # The zone is added to what it asks; its own account of time is right.
            asked = [since + hours * 3600 if since else 0, until + hours * 3600]
            page = self.span(partner, *asked, now)
            held |= {line.value for line in page.lines}
            since = until
            assert held == {value(n) for n in range(number)}
            share(source := token(), partner, next(clock))
            bank(source, value(number), next(clock))

    def test_for_one_whose_clock_is_just_wrong_loses_nothing(self, partner, clock):
        held: set[bytes] = set()
        since = 0.0
        for number in range(5):
            now = next(clock)
            until = now.timestamp() - 5 + 333
            held |= {line.value for line in self.span(partner, since, until, now).lines}
            since = until
            assert held == {value(n) for n in range(number)}
            share(source := token(), partner, next(clock))
            bank(source, value(number), next(clock))


def line_second(partner) -> int:
    lines = ListedHash.objects.filter(partner=partner)
    return lines.aggregate(last=Max("changed_second"))["last"]
