"""The smallest valid row of each kind. A test states only what it is about."""

from datetime import UTC, datetime, timedelta

import factory
from factory.django import DjangoModelFactory

from moderation.models import (
    BankedHash,
    Content,
    Enforcement,
    Flag,
    HashBank,
    Match,
    Platform,
    PlatformAccount,
    User,
    token,
)
from reviews.models import Decision, Policy

# In the past, so that what a test makes due is due for the real clock too.
NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
PASSPHRASE = "correct horse battery staple"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"reviewer{n}")
    pseudonym = factory.Sequence(lambda n: f"Rowan {n}")
    password = factory.django.Password(PASSPHRASE)
    role = User.Role.REVIEWER


class PlatformFactory(DjangoModelFactory):
    class Meta:
        model = Platform
        django_get_or_create = ("alias",)

    alias = "facebook"
    name = factory.LazyAttribute(lambda row: row.alias.title())
    created_at = NOW - timedelta(days=30)


class AccountFactory(DjangoModelFactory):
    class Meta:
        model = PlatformAccount

    platform = factory.SubFactory(PlatformFactory)
    external_id = factory.Sequence(lambda n: f"account-{n}")
    first_seen_at = NOW - timedelta(days=3)


class ContentFactory(DjangoModelFactory):
    class Meta:
        model = Content

    platform = factory.SubFactory(PlatformFactory)
    account = factory.SubFactory(
        AccountFactory, platform=factory.SelfAttribute("..platform")
    )
    external_id = factory.Sequence(lambda n: f"post-{n}")
    body_index = factory.LazyFunction(lambda: token() * 2)
    posted_at = NOW - timedelta(hours=1)
    received_at = NOW - timedelta(minutes=30)
    next_attempt_at = NOW - timedelta(minutes=30)
    work_state = Content.WorkState.DONE
    done_at = NOW - timedelta(minutes=29)


class FlagFactory(DjangoModelFactory):
    class Meta:
        model = Flag

    content = factory.SubFactory(ContentFactory)
    source = Flag.Source.DETECTION
    priority = 40
    raised_at = NOW - timedelta(minutes=20)
    due_at = NOW + timedelta(hours=24)


class HashBankFactory(DjangoModelFactory):
    class Meta:
        model = HashBank
        django_get_or_create = ("slug",)

    slug = "cases"
    name = "Fingerprints made by people"
    kind = HashBank.Kind.CASES


class BankedHashFactory(DjangoModelFactory):
    """A row for tests about rows; to be matched, a hash must go through ``services.bank_hash``."""

    class Meta:
        model = BankedHash

    bank = factory.SubFactory(HashBankFactory)
    signal_type = "pdq"
    value_sealed = b"sealed"
    value_index = factory.LazyFunction(lambda: token() * 2)
    source_ref = factory.LazyFunction(token)
    recipe = "pdq-1"
    added_at = NOW - timedelta(days=1)


class MatchFactory(DjangoModelFactory):
    class Meta:
        model = Match

    content = factory.SubFactory(ContentFactory)
    banked_hash = factory.SubFactory(BankedHashFactory)
    bank = factory.SelfAttribute("banked_hash.bank")
    source_ref = factory.SelfAttribute("banked_hash.source_ref")
    signal_type = "pdq"
    distance = 4
    threshold = 31
    found_at = NOW - timedelta(minutes=20)


class EnforcementFactory(DjangoModelFactory):
    class Meta:
        model = Enforcement

    content = factory.SubFactory(ContentFactory)
    platform = factory.SelfAttribute("content.platform")
    account = factory.SelfAttribute("content.account")
    action = Enforcement.Action.REMOVE
    cause_ref = factory.LazyFunction(token)
    ordered_at = NOW
    next_attempt_at = NOW


class PolicyFactory(DjangoModelFactory):
    class Meta:
        model = Policy

    slug = factory.Sequence(lambda n: f"ncii.shared.{n}")
    outcome = Policy.Outcome.VIOLATES
    title = "Intimate image shared without consent"
    public_text = "You may not share an intimate image of a person who has not agreed."
    severity = "critical"
    default_actions = ["remove", "bank", "account.disable"]


class DecisionFactory(DjangoModelFactory):
    class Meta:
        model = Decision

    flag = factory.SubFactory(FlagFactory, resolved_at=NOW)
    reviewer = factory.SubFactory(UserFactory)
    policy = factory.SubFactory(PolicyFactory)
    removes = True
    disables_account = True
    facts = "The image shows a person in an intimate setting."
    reasoning = "There is a statement that they did not agree."
    found_by_machine = True
    decided_at = NOW
