"""T-19: hashes that would catch everybody's screens and signs are told from those of photographs."""

import numpy as np
import pytest
from PIL import Image

from moderation.hashing import (
    MIN_QUALITY,
    guard_hashes,
    guard_pictures,
    near_guard,
    near_guards,
    pdq,
    pdq_forms,
    plausible,
    turned_forms,
)
from tests.moderation.hashing.pictures import PHOTOGRAPHS, crops, luma, picture, saved

GUARDS = dict(guard_pictures())


class TestGuards:
    @pytest.mark.parametrize("name", GUARDS)
    def test_are_near_themselves_saved_again_and_turned(self, name: str) -> None:
        again = saved(GUARDS[name].convert("RGB"), 70)

        whole, forms = pdq_forms(luma(again))

        assert whole.quality >= MIN_QUALITY
        assert all(near_guard(form) for form in forms)

    def test_are_eight_hashes_for_each_picture(self) -> None:
        assert len(guard_hashes()) == 8 * len(GUARDS)
        assert all(plausible(value) for value in guard_hashes())

    @pytest.mark.parametrize(("flipped", "verdict"), [(31, True), (60, False)])
    def test_reach_as_far_as_a_match(self, flipped: int, verdict: bool) -> None:
        value = int.from_bytes(guard_hashes()[0]) ^ ((1 << flipped) - 1)

        assert near_guard(value.to_bytes(32)) is verdict

    def test_are_told_of_many_as_of_one(self) -> None:
        dice = np.random.default_rng(7)
        values = [dice.bytes(32) for _ in range(150)]
        values[20:130:10] = guard_hashes()[:11]

        assert near_guards(values) == [near_guard(value) for value in values]
        assert sum(near_guards(values)) == 11
        assert near_guards([]) == []

    def test_catch_a_sign_in_another_size_and_tone(self) -> None:
        sign = GUARDS["lightning"].resize((900, 900))
        grey = Image.fromarray((np.asarray(sign) // 3 + 100).astype(np.uint8))

        assert near_guard(pdq(luma(saved(grey.convert("RGB"), 60))).hash)


class TestPhotographs:
    @pytest.mark.parametrize("seed", range(5))
    def test_two_thousand_parts_of_them_five_times_are_not_near_a_guard(
        self, seed: int
    ) -> None:
        refused = 0
        for part in crops(2000, seed):
            made = pdq(part)
            if made.quality >= MIN_QUALITY:
                refused += near_guard(made.hash) or not plausible(made.hash)

        assert refused == 0

    @pytest.mark.parametrize("name", PHOTOGRAPHS)
    def test_none_of_their_forms_is(self, name: str) -> None:
        value = pdq(luma(picture(name))).hash

        assert not any(near_guard(form) for form in turned_forms(value))
