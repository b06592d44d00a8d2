"""What each kind of finding may cause: the table of architecture decision 12, and what makes a finding doubtful."""

import io
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from moderation import hashing, pipeline, services
from moderation.media import decode
from moderation.models import BankedHash, Enforcement, Flag, HashBank, Match
from moderation.pipeline import Effect, Finding, Query
from moderation.services.importing import ReadHash, import_hashes
from tests.factories import NOW, HashBankFactory
from tests.moderation.sendings import bank as bank_picture
from tests.moderation.sendings import receive
from tests.moderation.test_banking import HASH, bank, find, near

CLAIMED, CONFIRMED = BankedHash.Standing.CLAIMED, BankedHash.Standing.CONFIRMED


def finding(standing: str, distance: int, kind: str = "pdq", **more) -> Finding:
    only_review = more.pop("only_review", False)
    row = BankedHash(signal_type=kind, standing=standing, **more)
    return Finding(row, distance, 63, only_review)


class TestTheTable:
    @pytest.mark.parametrize(
        ("standing", "distance", "kind", "effect"),
        [
            (CLAIMED, 0, "pdq", Effect.HOLD),
            (CLAIMED, 31, "pdq", Effect.HOLD),
            (CLAIMED, 0, "sha256", Effect.HOLD),
            (CONFIRMED, 0, "sha256", Effect.REMOVE),
            (CONFIRMED, 0, "md5", Effect.REMOVE),
            (CONFIRMED, 10, "pdq", Effect.REMOVE),
            (CONFIRMED, 11, "pdq", Effect.HOLD),
            (CONFIRMED, 31, "pdq", Effect.HOLD),
            (CONFIRMED, 0, "vpdq", Effect.HOLD),
        ],
    )
    def test_of_what_surely_matches(self, standing, distance, kind, effect):
        assert finding(standing, distance, kind).effect == effect

    @pytest.mark.parametrize(
        "doubt",
        [{"only_review": True}, {"parked_why": "GUARD"}, {"demoted_at": NOW}],
        ids=lambda doubt: next(iter(doubt)),
    )
    def test_of_what_is_doubtful_is_a_question_and_no_more(self, doubt):
        assert finding(CONFIRMED, 0, **doubt).effect == Effect.REVIEW

    @given(
        distance=st.integers(0, 256),
        kind=st.sampled_from(["pdq", "vpdq", "phash", "sha256", "md5"]),
        parked=st.sampled_from(["", "GUARD", "WIDELY_SEEN"]),
        demoted=st.sampled_from([None, NOW]),
        only_review=st.booleans(),
    )
    def test_never_leads_from_a_claim_to_a_removal(
        self, distance, kind, parked, demoted, only_review
    ):
        one = finding(
            CLAIMED,
            distance,
            kind,
            parked_why=parked,
            demoted_at=demoted,
            only_review=only_review,
        )
        assert one.effect < Effect.REMOVE


@pytest.mark.django_db
class TestTheReviewBand:
    def test_is_a_question_about_a_content_and_nothing_before_publication(
        self, platform
    ):
        row = bank(HASH)

        assert find([near(HASH, 40)]) == []
        (found,) = find([near(HASH, 40)], questions=True)
        assert (found.hash, found.distance, found.only_review) == (row, 40, True)
        (verdict,) = services.match(
            platform=platform, queries=[Query(pdq=[near(HASH, 40)])], now=NOW
        )
        assert verdict.verdict == "allow"

    def test_ends_where_the_bank_says(self):
        row = bank(HASH)

        assert len(find([near(HASH, 47)], questions=True)) == 1
        assert find([near(HASH, 48)], questions=True) == []
        HashBank.objects.filter(pk=row.bank_id).update(review_threshold=63)
        assert len(find([near(HASH, 63)], questions=True)) == 1
        assert find([near(HASH, 64)], questions=True) == []

    def test_follows_each_banks_own_threshold(self):
        row = bank(HASH)
        HashBank.objects.filter(pk=row.bank_id).update(threshold=8)

        assert len(find([near(HASH, 8)])) == 1
        assert find([near(HASH, 9)]) == []


@pytest.mark.django_db
class TestWhatIsAskedAbout:
    def test_leaves_out_what_is_paused_until_its_time(self):
        row = bank(HASH)
        row.pause(NOW + timedelta(days=3650))
        assert find([HASH]) == []

        row.pause(NOW)
        assert len(find([HASH])) == 1

    def test_leaves_out_banks_that_are_switched_off(self):
        row = bank(HASH)
        HashBank.objects.filter(pk=row.bank_id).update(is_enabled=False)

        assert find([HASH]) == []

    def test_asks_a_bank_about_its_share_of_pictures_and_always_the_same(self):
        rows = [bank(near(HASH, 2 * number)) for number in range(16)]
        HashBank.objects.filter(pk=rows[0].bank_id).update(enabled_percent=50)

        answers = [bool(find([near(HASH, number)])) for number in range(64)]

        assert 10 < sum(answers) < 54
        assert answers == [bool(find([near(HASH, n)])) for n in range(64)]
        HashBank.objects.filter(pk=rows[0].bank_id).update(enabled_percent=0)
        assert find([HASH]) == []


def saved(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.mark.django_db
class TestEditedCopies:
    @pytest.fixture
    def coffee(self, pictures) -> bytes:
        return (pictures / "coffee.png").read_bytes()

    def checked(self, platform, picture: bytes) -> Flag | None:
        content = receive(platform, picture)
        pipeline.check(content, NOW)
        return Flag.objects.filter(content=content).first()

    def test_with_a_border_are_found_by_what_is_inside(self, platform, coffee):
        bank_picture(coffee)
        with Image.open(io.BytesIO(coffee)) as image:
            framed = saved(ImageOps.expand(image.convert("RGB"), 80, "white"))

        assert self.checked(platform, framed) is not None
        assert Enforcement.objects.get().action == "HOLD"

    def test_mirrored_are_found(self, platform, coffee):
        bank_picture(coffee)
        with Image.open(io.BytesIO(coffee)) as image:
            mirrored = saved(ImageOps.mirror(image.convert("RGB")))

        assert self.checked(platform, mirrored) is not None

    def test_that_only_look_alike_ask_a_person_and_hide_nothing(self, platform, coffee):
        services.bank_hash(
            bank=HashBankFactory().slug,
            signal_type="phash",
            value=hashing.phash(decode(coffee).pixels),
            quality=None,
            source_ref="b" * 32,
            actor="x",
            now=NOW,
        )
        with Image.open(io.BytesIO(coffee)) as image:
            small = image.convert("RGB").resize((300, 200))

        flag = self.checked(platform, saved(small))

        assert flag is not None
        assert Match.objects.get().only_review
        assert not Enforcement.objects.exists()
        assert [part["part"] for part in flag.priority_parts] == ["similar"]


@pytest.mark.django_db
class TestGuardPictures:
    def test_are_parked_however_they_come_in_and_hide_nothing(self, platform):
        sign = hashing.guard_hashes()[0]
        one = bank(sign)
        home = HashBankFactory(slug="list", kind=HashBank.Kind.PARTNER)
        import_hashes(
            bank=home,
            hashes=[ReadHash("pdq", value, 90, 1) for value in (sign, HASH)],
            source_ref="c" * 32,
            actor="operator",
            now=NOW,
        )

        parked = dict(home.hashes.values_list("value_index", "parked_why"))
        assert one.parked_why == parked[one.value_index] == "GUARD"
        assert sorted(parked.values()) == ["", "GUARD"]
        (verdict,) = services.match(
            platform=platform, queries=[Query(pdq=[sign])], now=NOW
        )
        assert verdict.verdict == "allow"
