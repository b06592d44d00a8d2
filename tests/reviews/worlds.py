"""A small world of posts, with or without a poisoned source, to compare what is left of it."""

import io
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone
from PIL import Image

from moderation import hashing, pipeline, services
from moderation.media import decode
from moderation.models import (
    BankedHash,
    Content,
    Enforcement,
    Flag,
    HashConfirmation,
    Platform,
    PlatformAccount,
)
from reviews.models import Decision, Policy, Revocation
from reviews.pipeline import decide_automatically
from reviews.services import begin_revocation, claim_next, release, revoke_source
from tests.factories import NOW, HashBankFactory, PlatformFactory, UserFactory
from tests.moderation.sendings import resaved
from tests.reviews.automatic import removing, seniors
from tests.reviews.factories import answer, held_by

# The two sources: S is the one that is revoked.
S, T = "s" * 32, "t" * 32


def cut(picture: bytes, pixels: int = 7) -> bytes:
    """Too much for one fingerprint if it is done twice, but not for a chain of them."""
    with Image.open(io.BytesIO(picture)) as image:
        out = io.BytesIO()
        image.convert("RGB").crop((0, 0, image.width - pixels, image.height)).save(
            out, "PNG"
        )
        return out.getvalue()


class World:
    """Builds itself the same way with and without S."""

    def __init__(self, pictures: Path, *, has_s: bool, policy: Policy) -> None:
        self.only_s = (pictures / "chelsea.png").read_bytes()
        self.both = (pictures / "coffee.png").read_bytes()
        self.only_t = (pictures / "rocket.jpg").read_bytes()
        self.has_s, self.policy = has_s, policy
        self.bank = removing("cases")
        HashBankFactory(slug="confirmed", kind="CONFIRMED")
        self.loud = PlatformFactory(alias="instagram", flag_threshold=0.0)
        self.quiet = PlatformFactory(alias="facebook")
        self.reviewer, self.second = UserFactory(), UserFactory()

    def build(self) -> None:
        for picture in (self.both, self.only_t):
            self._bank(picture, T)
        if self.has_s:
            for picture in (self.only_s, self.both):
                self._bank(picture, S)
        self._post("caught", self.only_s)
        self._decide("caught", closes=True)
        self._post("found-by-the-copy", cut(cut(self.only_s)))
        self._decide("found-by-the-copy")
        self._post("both", resaved(self.both))
        self._decide("both")
        self._post("alone-by-machine", resaved(self.only_s, 95, 1.0))
        self._post("both-by-machine", resaved(self.both, 95, 1.0))
        decide_automatically(NOW)
        self._post("open-s", cut(self.only_s, 3))
        self._post("open-both", cut(self.both, 3))
        self._post("open-t", resaved(self.only_t))
        self._post("near-nude", cut(self.only_s, 2), self.loud)
        self.work()

    def _bank(self, picture: bytes, source: str) -> None:
        printed = hashing.pdq(decode(picture).pixels)
        services.bank_hash(
            bank=self.bank.slug,
            signal_type="pdq",
            value=printed.hash,
            quality=printed.quality,
            source_ref=source,
            actor="public",
            now=NOW,
        )

    def _post(
        self, name: str, picture: bytes, platform: Platform | None = None
    ) -> None:
        content, _ = services.receive_content(
            platform=platform or self.quiet,
            submission=services.Submission(
                external_id=name,
                account_id=f"account-of-{name}",
                picture=picture,
                posted_at=NOW - timedelta(minutes=1),
            ),
            now=NOW,
        )
        pipeline.check(content, NOW)

    def _decide(self, name: str, *, closes: bool = False) -> None:
        """A person removes it, if anything made it a question."""
        if not Flag.objects.open().filter(content__external_id=name).exists():
            return
        claim = held_by(self.reviewer)
        while claim.flag.content.external_id != name:
            release(claim=claim, reviewer=self.reviewer)
            claim = claim_next(reviewer=self.reviewer, now=timezone.now())
        answer(claim, self.policy, disables_account=closes)
        for order in Enforcement.objects.for_approval():
            services.approve_enforcement(
                enforcement=order, approver=self.second, now=NOW
            )
        self.work()

    def work(self) -> None:
        """What waits is carried out."""
        states = Enforcement.WorkState
        while orders := Enforcement.objects.filter(work_state=states.WAITING):
            pipeline.enforce(orders.earliest("pk"), timezone.now())

    def left(self) -> dict[str, Any]:
        """All that must not depend on whether S ever was."""
        return {
            "hashes": Counter(_named(row) for row in BankedHash.objects.live()),
            "questions": {
                flag.content.external_id: (
                    flag.source,
                    flag.priority,
                    {part["part"] for part in flag.priority_parts},
                )
                for flag in Flag.objects.open().select_related("content")
            },
            "posts": dict(Content.objects.values_list("external_id", "visibility")),
            "accounts": dict(
                PlatformAccount.objects.values_list("external_id", "state")
            ),
            "decisions": Counter(
                Decision.objects.standing().values_list(
                    "flag__content__external_id", "is_automatic"
                )
            ),
        }


def _named(row: BankedHash) -> tuple[object, ...]:
    source = row.source_ref if row.source_ref in (S, T) else "copy"
    vouched = HashConfirmation.objects.filter(banked_hash=row).exists()
    return (
        source,
        row.signal_type,
        row.value_index,
        row.standing,
        row.is_derived,
        vouched,
    )


def begun(ref: str = S, **changes: Any) -> Revocation:
    by, second = seniors()
    given = {
        "ref": ref,
        "reason": Revocation.Reason.WRONG_PICTURE,
        "by": by,
        "approved_by": second,
        "now": NOW,
    }
    return begin_revocation(**{**given, **changes})


def carried_out(revocation: Revocation, batch: int = 100) -> Revocation:
    for _ in revoke_source(revocation, batch=batch, now=NOW):
        pass
    return revocation
