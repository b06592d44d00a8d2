"""Each face does its work with its own database role, and what it must not do is refused by PostgreSQL (T-49).

The pages themselves run as their face's role in every test that asks for one; see tests/services/as_roles.py.
"""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from appeals import services as appeals
from appeals.models import Appeal
from config import installation
from moderation import hashing, pipeline, services, tasks
from moderation.media import decode
from moderation.models import (
    BankedHash,
    Content,
    Enforcement,
    HashBank,
    HashConfirmation,
    HashException,
    HashParent,
    Notice,
    token,
)
from reviews import services as reviews
from reviews.models import AppealGrant, Claim, Decision, Policy, Reveal
from reviews.pipeline import expire_leases
from tests.factories import FlagFactory, MatchFactory, UserFactory
from tests.reviews.factories import answer, held_by
from tests.services.roles import role_of
from tests.victims.factories import PIN, fingerprint, open_case
from victims import services as victims
from victims.models import Case
from victims.tasks import refresh_bands

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def refused(deed) -> bool:
    """Whether PostgreSQL refuses, for want of a right to the table or to the row."""
    try:
        with transaction.atomic():
            deed()
    except ProgrammingError as error:
        return error.__cause__.sqlstate == "42501"
    return False


@pytest.fixture(autouse=True)
def _prepared(db) -> None:
    installation.prepare(timezone.now())


class TestTheHub:
    def test_opens_a_case_and_withdraws_everything_that_hangs_on_it(self, face):
        now = timezone.now()
        with face("hub"):
            case, number = open_case(1, 2, now=now)
        banked = BankedHash.objects.get(source_ref=case.hashes.first().source_ref)
        match = MatchFactory(banked_hash=banked)
        HashConfirmation.objects.create(
            banked_hash=banked, cause_ref=token(), confirmed_at=now
        )
        HashException.objects.create(
            banked_hash=banked, content=match.content, created_at=now
        )

        with face("hub"):
            network = victims.network_key("8.8.8.8", now)
            entered = victims.enter(number=number, pin=PIN, network=network, now=now)
            victims.withdraw(case=entered.case, pin=PIN, now=now)

        assert Case.objects.get().state == Case.State.WITHDRAWN
        assert not BankedHash.objects.exists()
        match.refresh_from_db()
        assert match.banked_hash is None

    def test_withdraws_what_rested_on_it_though_it_cannot_see_that(self, face):
        now, value = timezone.now(), bytes.fromhex(fingerprint(3))
        with face("hub"):
            case, _ = open_case(1, now=now)
        parent = BankedHash.objects.get(source_ref=case.hashes.first().source_ref)
        (child,) = services.bank_hashes(
            bank=HashBank.objects.get(slug="confirmed"),
            hashes=[services.NewHash("pdq", value, 90, token(), is_derived=True)],
            actor="reviewer",
            now=now,
        )
        HashParent.objects.create(child=child, parent=parent)
        assert pipeline.find(pipeline.Query(pdq=[value]))

        with face("hub"):
            victims.withdraw(case=case, pin=PIN, now=now)

        with face("api"):
            assert not pipeline.find(pipeline.Query(pdq=[value]))
        assert list(BankedHash.objects.all()) == [child]
        with face("worker"):
            tasks.sweep()
            assert pipeline.withdraw_orphans(now) == 1
        assert not BankedHash.objects.exists()

    def test_cannot_plant_what_would_block_by_itself(self, face):
        def plant(bank: str, standing: str = BankedHash.Standing.CLAIMED) -> None:
            services.bank_hash(
                bank=bank,
                signal_type="pdq",
                value=bytes.fromhex(fingerprint(7)),
                quality=90,
                source_ref=token(),
                standing=standing,
                actor="person",
                now=timezone.now(),
            )

        with face("hub"):
            assert refused(lambda: plant("cases", BankedHash.Standing.CONFIRMED))
            assert refused(lambda: plant("confirmed"))
            assert not refused(lambda: plant("cases"))

    def test_neither_sees_nor_deletes_what_is_not_of_a_case(self, face):
        services.bank_hash(
            bank="confirmed",
            signal_type="pdq",
            value=bytes.fromhex(fingerprint(8)),
            quality=90,
            source_ref="d" * 32,
            actor="reviewer",
            now=timezone.now(),
        )

        with face("hub"):
            assert not BankedHash.objects.exists()
            withdrawn = services.withdraw_source(
                source_refs=["d" * 32], actor="person", now=timezone.now()
            )

        assert withdrawn == 0
        assert BankedHash.objects.count() == 1


class TestSessions:
    @pytest.fixture
    def of_staff(self, face) -> SessionStore:
        with face("staff"):
            session = SessionStore()
            session["_auth_user_id"] = "1"
            session.save()
        return session

    @pytest.mark.parametrize("public", ["hub", "appeals", "api"])
    def test_of_the_console_are_not_there_for_another_face(
        self, face, of_staff, public
    ):
        with face(public):
            assert not Session.objects.exists()
            assert not SessionStore(of_staff.session_key).load()
        with face("staff"):
            assert SessionStore(of_staff.session_key).load() == {"_auth_user_id": "1"}

    def test_cannot_be_made_for_another_face(self, face, role_urls):
        owner = role_of(role_urls["staff"])
        planted = """INSERT INTO django_session (session_key, session_data, expire_date, owner_role)
            VALUES ('planted', '', now() + interval '1 hour', %s)"""

        with face("hub"), connection.cursor() as cursor:
            assert refused(lambda: cursor.execute(planted, [owner]))

    def test_are_forgotten_by_the_worker_when_their_time_is_over(self, face, of_staff):
        hour = timedelta(hours=1)
        Session.objects.create(session_key="over", expire_date=timezone.now() - hour)

        with face("worker"):
            assert pipeline.purge_expired(timezone.now())["session"] == 1
            # Even with a clock that is wrong.
            assert pipeline.purge_expired(timezone.now() + hour)["session"] == 0
            assert refused(lambda: Session.objects.first())


class TestTheWholeWalk:
    """From a person's case to the answer to an appeal, each deed as the face or the worker that does it."""

    @pytest.fixture
    def picture(self, pictures) -> bytes:
        return (pictures / "chelsea.png").read_bytes()

    def test_needs_no_more_than_is_granted(self, face, platform, picture):
        now = timezone.now()
        made = hashing.pdq(decode(picture).pixels)
        with face("hub"):
            victims.open_case(
                fingerprints=[(made.hash.hex(), made.quality)],
                pin=PIN,
                language="en",
                now=now,
            )
        with face("api"):
            verdict = services.match_media(platform=platform, media=picture, now=now)
            content, _ = services.receive_content(
                platform=platform, submission=submission(picture), now=now
            )
        assert verdict.verdict == "hold"
        with face("worker"):
            pipeline.look_back(pipeline.gather(now), now)
            worked(content)
        assert content.flags.get().source == "HASH_MATCH"

        decision = decided(face)
        with face("worker"):
            worked(content)
        appeal = appealed(face, decision)
        with face("worker"):
            worked(content)
        assert shown(content) == "VISIBLE"
        assert appeal.outcome == Appeal.Outcome.OVERTURNED
        assert set(Notice.objects.values_list("work_state", flat=True)) == {"DONE"}

    def test_ends_with_what_the_worker_does_by_the_clock(self, face, platform, picture):
        now = timezone.now()
        with face("hub"):
            open_case(now=now - timedelta(days=2))
        Case.objects.update(band_minute=0)
        with face("api"):
            content, _ = services.receive_content(
                platform=platform, submission=submission(picture), now=now
            )
        reviewer = UserFactory()
        with face("worker"):
            pipeline.check(content, now)
        FlagFactory(content=content)
        with face("staff"):
            claim = held_by(reviewer)
        Claim.objects.update(expires_at=now - timedelta(minutes=1))

        with face("worker"):
            tasks.sweep()
            refresh_bands()
            assert expire_leases() == 1
            purged = pipeline.purge_expired(now + timedelta(days=91))

        assert Case.objects.get().band_refreshed_at is not None
        claim.refresh_from_db()
        assert claim.ended_why == Claim.Ended.EXPIRED
        assert purged["fingerprint"] == 4


def submission(picture: bytes) -> services.Submission:
    return services.Submission(external_id=token(), account_id="kim", picture=picture)


def worked(content: Content) -> None:
    now = timezone.now()
    content.refresh_from_db()
    pipeline.check(content, now)
    for order in Enforcement.objects.order_by("pk"):
        pipeline.enforce(order, now)
    for notice in Notice.objects.order_by("pk"):
        pipeline.deliver(notice, now)


def shown(content: Content) -> str:
    return Content.objects.get(pk=content.pk).visibility


def decided(face) -> Decision:
    first, second = UserFactory(), UserFactory()
    policy = Policy.objects.get(slug="ncii.shared")
    with face("staff"):
        claim = held_by(first)
        reviews.evidence(claim.flag)
        link = reviews.order_look(
            lease=claim,
            content=claim.flag.content,
            reviewer=first,
            derivative=Reveal.Derivative.GREY,
            session_key="window",
            now=timezone.now(),
        )
        seen = reviews.open_look(
            link=link,
            leases=Claim.objects.all(),
            reviewer=first,
            session_key="window",
            now=timezone.now(),
        )
        assert services.picture_for_review(content=seen.content, blur=True, grey=True)
        decision = answer(claim, policy)
        order = reviews.approvals_for(second)[0].order
        services.approve_enforcement(
            enforcement=order, approver=second, now=timezone.now()
        )
    return decision


def appealed(face, decision: Decision) -> Appeal:
    grant = AppealGrant.objects.get(decision=decision)
    with face("appeals"):
        words = {"ground": "NOT_INTIMATE", "words": "A cat.", "language": "en"}
        appeals.lodge(grant=grant, now=timezone.now(), **words)
        with pytest.raises(appeals.AlreadyLodged):
            appeals.lodge(grant=grant, now=timezone.now(), **words)
    third = UserFactory()
    with face("staff"):
        claim = appeals.claim_next_appeal(reviewer=third, now=timezone.now())
        assert appeals.case_of(claim.appeal, timezone.now()).words == "A cat."
        return appeals.decide_appeal(
            claim_token=claim.token,
            reviewer=third,
            outcome=Appeal.Outcome.OVERTURNED,
            reasoning="It is a cat.",
            now=timezone.now(),
        )
