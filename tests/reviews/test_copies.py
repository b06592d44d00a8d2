"""Each copy that a reviewer decides about makes the next edit of it easier to find, as long as the decision stands."""

import io

import pytest
from PIL import Image

from appeals.models import Appeal
from appeals.services import decide_appeal
from moderation import pipeline, services
from moderation.models import BankedHash, Content, Fingerprint, Flag, Match, User
from moderation.storage import blind_index, open_value, seal_value
from reviews.models import Decision, Policy
from tests.appeals.factories import AppealClaimFactory, AppealFactory
from tests.factories import NOW, PolicyFactory, UserFactory
from tests.moderation.sendings import bank, receive, resaved
from tests.reviews.factories import answer, held_by

pytestmark = pytest.mark.django_db


def cut(picture: bytes) -> bytes:
    """Too much for one fingerprint if it is done twice, but not for a chain of them."""
    with Image.open(io.BytesIO(picture)) as image:
        out = io.BytesIO()
        image.convert("RGB").crop((0, 0, image.width - 7, image.height)).save(
            out, "PNG"
        )
        return out.getvalue()


def checked(platform, picture: bytes, name: str) -> Content:
    content = receive(platform, picture, name)
    pipeline.check(content, NOW)
    content.refresh_from_db()
    return content


def removed(reviewer: User, policy: Policy, content: Content) -> Decision:
    claim = held_by(reviewer)
    assert claim.flag.content == content
    return answer(claim, policy, disables_account=False)


class TestBankTheCopy:
    def test_banks_all_its_fingerprints_as_confirmed(
        self, platform, reviewer, policy, pictures
    ) -> None:
        picture = (pictures / "chelsea.png").read_bytes()
        bank(picture)
        content = checked(platform, resaved(picture), "post-1")

        decision = removed(reviewer, policy, content)

        rows = BankedHash.objects.filter(source_ref=decision.public_id)
        assert set(rows.values_list("signal_type", flat=True)) == {
            "pdq",
            "phash",
            "sha256",
            "md5",
        }
        assert set(rows.values_list("standing", "bank__slug")) == {
            ("CONFIRMED", "confirmed")
        }
        same = services.match(platform=platform, queries=[_file(content)], now=NOW)
        assert same[0].verdict == "block"

    def test_banks_nothing_for_a_rule_that_is_about_words(
        self, platform, reviewer, pictures
    ) -> None:
        picture = (pictures / "chelsea.png").read_bytes()
        bank(picture)
        content = checked(platform, resaved(picture), "post-1")
        threat = PolicyFactory(slug="ncii.threat", default_actions=["remove"])

        decision = removed(reviewer, threat, content)

        assert not BankedHash.objects.filter(source_ref=decision.public_id).exists()

    def test_finds_an_edit_of_the_copy_that_the_first_fingerprint_misses(
        self, platform, reviewer, policy, pictures
    ) -> None:
        picture = (pictures / "chelsea.png").read_bytes()
        banked = bank(picture)
        first = cut(picture)
        content = checked(platform, first, "post-1")
        assert Match.objects.filter(content=content, banked_hash=banked).exists()
        decision = removed(reviewer, policy, content)

        further = checked(platform, cut(first), "post-2")

        found = Match.objects.filter(content=further, only_review=False)
        assert set(found.values_list("source_ref", flat=True)) == {decision.public_id}

    def test_is_decided_all_the_same_if_a_fingerprint_cannot_be_banked(
        self, platform, reviewer, policy, pictures
    ) -> None:
        picture = (pictures / "chelsea.png").read_bytes()
        bank(picture)
        content = checked(platform, resaved(picture), "post-1")
        blank = bytes(8)
        Fingerprint.objects.filter(content=content, signal_type="phash").update(
            value_sealed=seal_value(blank, "history"),
            value_index=blind_index(blank, "phash"),
        )

        decision = removed(reviewer, policy, content)

        rows = BankedHash.objects.filter(source_ref=decision.public_id)
        assert set(rows.values_list("signal_type", flat=True)) == {
            "pdq",
            "sha256",
            "md5",
        }


def _file(content: Content) -> services.Query:
    row = content.fingerprints.get(signal_type="sha256")
    return services.query_of("sha256", open_value(row.value_sealed, "history"))


class TestOverturned:
    def test_takes_the_copy_out_again(
        self, platform, reviewer, policy, pictures
    ) -> None:
        picture = (pictures / "chelsea.png").read_bytes()
        banked = bank(picture)
        first = cut(picture)
        decision = removed(reviewer, policy, checked(platform, first, "post-1"))
        appeal = AppealFactory(grant=decision.grants.get())
        claim = AppealClaimFactory(appeal=appeal, reviewer=UserFactory())

        decide_appeal(
            claim_token=claim.token,
            reviewer=claim.reviewer,
            outcome=Appeal.Outcome.OVERTURNED,
            reasoning="A mistake.",
            now=NOW,
        )

        assert list(BankedHash.objects.all()) == [banked]
        checked(platform, cut(first), "post-2")
        assert not Flag.objects.filter(content__external_id="post-2").exists()
        banked.refresh_from_db()
        assert banked.standing == BankedHash.Standing.CLAIMED
