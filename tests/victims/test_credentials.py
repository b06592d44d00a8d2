"""Case number and PIN: what people mistype is understood, what others could guess is refused."""

import string

import pytest
from argon2 import extract_parameters
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from victims import credentials
from victims.credentials import ALPHABET, Judgement, judge

KEY = b"k" * 32
numbers = st.builds(credentials.new_number)


class TestNumber:
    def test_has_80_random_bits_and_a_check_character(self):
        many = {credentials.new_number() for _ in range(500)}

        assert len(many) == 500
        assert {len(number) for number in many} == {17}
        assert set("".join(many)) == set(ALPHABET)

    @given(numbers, st.integers(0, 16), st.sampled_from(ALPHABET))
    def test_notices_one_wrong_character(self, number, place, other):
        changed = number[:place] + other + number[place + 1 :]

        assert credentials.is_number(changed) == (changed == number)

    @given(numbers, st.integers(0, 16), st.integers(0, 16))
    def test_notices_two_characters_swapped(self, number, one, two):
        letters = list(number)
        letters[one], letters[two] = letters[two], letters[one]
        changed = "".join(letters)

        assert credentials.is_number(changed) == (changed == number)

    @given(numbers)
    def test_reads_what_people_type(self, number):
        spaced = " - ".join(credentials.grouped(number)).lower()
        mistaken = spaced.replace("0", "o").replace("1", "l")

        assert credentials.read_number(mistaken) == number
        assert credentials.read_number(spaced.replace("1", "i")) == number

    def test_reads_digits_of_other_scripts(self):
        persian, arabic, hindi, wide = "\u06f7", "\u0669", "\u0968", "\uff18"

        typed = f"{persian}K3D {arabic}QXM {hindi}VTA {wide}HNR"

        assert credentials.read_number(typed) == "7K3D9QXM2VTA8HNR"

    @given(st.text(max_size=300))
    def test_reads_anything_without_failing(self, typed):
        assert set(credentials.read_number(typed)) <= set(ALPHABET)

    def test_shows_groups_of_four_with_the_check_character_last(self):
        number = credentials.new_number()

        assert [len(group) for group in credentials.grouped(number)] == [4, 4, 4, 5]
        assert "".join(credentials.grouped(number)) == number


class TestIndex:
    def test_is_the_same_for_the_same_number_and_key_only(self):
        assert credentials.index(KEY, "7K3D") == credentials.index(KEY, "7K3D")
        assert credentials.index(KEY, "7K3D") != credentials.index(KEY, "7K3E")
        assert credentials.index(KEY, "7K3D") != credentials.index(b"x" * 32, "7K3D")


class TestSeal:
    def test_opens_with_the_same_key_only(self):
        sealed = credentials.seal(KEY, "7K3D")

        assert "7K3D" not in sealed
        assert credentials.unseal(KEY, sealed) == "7K3D"
        with pytest.raises(InvalidTag):
            credentials.unseal(b"x" * 32, sealed)


class TestPin:
    def test_fits_itself_and_nothing_else(self):
        kept = credentials.derive(KEY, "a lantern 77 river")

        assert credentials.verify(KEY, "a lantern 77 river", kept)
        assert not credentials.verify(KEY, "a lantern 77 rivers", kept)
        assert not credentials.verify(b"x" * 32, "a lantern 77 river", kept)

    def test_is_kept_as_argon2id_with_19_mib_and_two_passes(self):
        for kept in (credentials.derive(KEY, "lantern"), credentials.NO_PIN):
            made = extract_parameters(kept)
            assert kept.startswith("$argon2id$")
            assert (made.memory_cost, made.time_cost, made.parallelism) == (19456, 2, 1)
            assert made.hash_len == 32

    @given(st.text(max_size=20))
    def test_reads_capitals_spaces_and_digits_as_meant(self, typed):
        meant = credentials.read_pin(typed)

        assert credentials.read_pin(f"  {typed}\n") == meant
        assert credentials.read_pin(meant) == meant

    def test_reads_the_digits_of_an_urdu_keyboard(self):
        assert credentials.read_pin("River  \u06f7\u06f7 Lamp") == "river 77 lamp"


class TestJudge:
    @pytest.mark.parametrize(
        "pin", ["", "abc", "1234567", "a-b-c-d-e", "       7", "é" * 7]
    )
    def test_finds_too_short(self, pin):
        assert judge(pin) is Judgement.SHORT

    @pytest.mark.parametrize(
        "pin",
        [
            "12031990", "19900312", "03121990", "12.03.1990", "1990-03-12",
            "12mar1990", "march1990", "1990december",
            "aaaaaaaa", "abababab", "12121212", "abcabcabc", "11112222", "zzzzzzz1",
            "12345678", "87654321", "abcdefgh", "hgfedcba", "qwertyui", "poiuytrewq",
            "abcd1234", "qwer1234", "1q2w3e4r",
        ],
    )  # fmt: skip
    def test_finds_too_easy(self, pin):
        assert judge(pin) is Judgement.EASY

    @pytest.mark.parametrize("pin", ["princess", "princess1990", "1990princess"])
    def test_finds_what_is_tried_first(self, pin):
        assert judge(pin, {"princess"}) is Judgement.EASY

    @pytest.mark.parametrize(
        "pin",
        [
            "a lantern 77 river",
            "tz7kq2wm",
            "48291637",
            "گل نارنجی سبز",
            "99999999a b c",
        ],
    )
    def test_finds_fine(self, pin):
        assert judge(pin) is Judgement.FINE

    @given(st.text())
    def test_judges_anything(self, pin):
        assert judge(credentials.read_pin(pin)) in Judgement

    def test_refuses_what_would_make_argon2_work_on_a_book(self):
        assert judge("xy7 " * 40) is Judgement.SHORT


class TestWords:
    def test_are_enough_for_44_bits(self):
        assert len(set(credentials.words())) == len(credentials.words()) >= 2048

    def test_are_short_plain_and_in_order(self):
        words = credentials.words()

        assert list(words) == sorted(words)
        assert all(3 <= len(word) <= 9 for word in words)
        assert set("".join(words)) <= set(string.ascii_lowercase)

    def test_never_remind_of_why_a_person_is_here(self):
        unkind = (
            "abuse victim naked nude sex rape kill gun blood fear threat shame guilt"
        )

        assert not set(unkind.split()) & set(credentials.words())

    def test_are_drawn_four_at_a_time_and_known_again(self):
        phrase = credentials.new_phrase()

        assert len(phrase.split(" ")) == 4
        assert credentials.is_phrase(phrase)
        assert not credentials.is_phrase(phrase + " lamp")
        assert not credentials.is_phrase("lamp lamp lamp lamp")
        assert not credentials.is_phrase("lamp tea tree xyzzy")
