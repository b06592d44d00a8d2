"""The smallest valid row of each kind at the desk for appeals."""

import hashlib
import secrets
from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from appeals.models import Appeal, AppealClaim
from reviews.models import AppealGrant
from tests.factories import NOW, DecisionFactory, UserFactory


class GrantFactory(DjangoModelFactory):
    """``raw`` is the token that the statement of reasons carries; the row keeps its hash."""

    class Meta:
        model = AppealGrant
        exclude = ("raw",)

    raw = factory.LazyFunction(lambda: secrets.token_urlsafe(32))
    decision = factory.SubFactory(DecisionFactory)
    party = AppealGrant.Party.UPLOADER
    token_sha256 = factory.LazyAttribute(
        lambda row: hashlib.sha256(row.raw.encode()).hexdigest()
    )
    created_at = NOW
    # Pages read the real clock.
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=183))


class AppealFactory(DjangoModelFactory):
    class Meta:
        model = Appeal

    grant = factory.SubFactory(GrantFactory)
    ground = Appeal.Ground.NOT_INTIMATE
    language = "en"
    lodged_at = NOW
    reply_by = NOW + timedelta(days=14)
    first_reviewer = factory.SelfAttribute("grant.decision.reviewer")


class AppealClaimFactory(DjangoModelFactory):
    """A live lease, as ``claim_next_appeal`` leaves it."""

    class Meta:
        model = AppealClaim
        skip_postgeneration_save = True

    appeal = factory.SubFactory(AppealFactory)
    reviewer = factory.SubFactory(UserFactory)
    epoch = 1
    claimed_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=10))
    hard_expires_at = factory.LazyFunction(
        lambda: timezone.now() + timedelta(minutes=45)
    )

    @factory.post_generation
    def _raise_epoch(
        self: AppealClaim, create: bool, extracted: None, **more: None
    ) -> None:
        Appeal.objects.filter(pk=self.appeal_id).update(lease_epoch=self.epoch)
