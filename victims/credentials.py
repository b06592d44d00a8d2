"""Case number and PIN: make, read back, derive, judge. No Django, no settings: keys come from the caller.

A case number is 80 random bits in Crockford's base32 and a check character. What is kept of it is an HMAC; of the PIN,
Argon2id over an HMAC, so that a stolen database alone opens nothing.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Container, Sequence
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 16
_LOOKALIKES = str.maketrans("OIL", "011")

MIN_PIN = 8
MAX_PIN = 128
PHRASE_WORDS = 4
_WORDS = Path(__file__).parent / "data" / "words.txt"

# 24 ms on the machine it was measured on; the numbers are OWASP's smallest memory for Argon2id.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# What a PIN is compared with when there is no such case: the same work, and never a fit (T-05).
NO_PIN = "$argon2id$v=19$m=19456,t=2,p=1$Nzf2Wq7r0E1f2HyqcwINXg$ikydTTwcproJFkN08twuTev3uJKwbCmvGTx9Obkw9bk"

_NONCE = 12


def new_number() -> str:
    digits = [secrets.randbelow(32) for _ in range(_LENGTH)]
    return "".join(ALPHABET[digit] for digit in [*digits, _check(digits)])


def read_number(typed: str) -> str:
    """The number as it was meant: any case, spaces and dashes, O for 0, I and L for 1, digits of any script."""
    plain = _plain(typed[:200]).upper().translate(_LOOKALIKES)
    return "".join(character for character in plain if character in ALPHABET)


def is_number(number: str) -> bool:
    """Whether the check character fits: any one wrong character, and any two swapped, are noticed."""
    digits = [ALPHABET.find(character) for character in number]
    if len(digits) != _LENGTH + 1 or -1 in digits:
        return False
    return _check(digits[:-1]) == digits[-1]


def grouped(number: str) -> list[str]:
    """Groups of four, the last one with the check character: as it is shown and read out."""
    return [number[0:4], number[4:8], number[8:12], number[12:]]


def _check(digits: Sequence[int]) -> int:
    """A checksum over the field of 32 elements (x^5 + x^2 + 1), each place with a weight of its own."""
    total = 0
    for digit in digits:
        total = _times_x(total ^ digit)
    return total


def _times_x(value: int) -> int:
    value <<= 1
    return value ^ 0b100101 if value & 32 else value


def index(key: bytes, value: str) -> str:
    """64 hex characters: the same for the same value, and nothing without the key."""
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


def seal(key: bytes, text: str) -> str:
    nonce = secrets.token_bytes(_NONCE)
    return urlsafe_b64encode(
        nonce + AESGCM(key).encrypt(nonce, text.encode(), None)
    ).decode()


def unseal(key: bytes, sealed: str) -> str:
    """
    :raises cryptography.exceptions.InvalidTag: if it was changed.
    """
    raw = urlsafe_b64decode(sealed)
    return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], None).decode()


def read_pin(typed: str) -> str:
    """The PIN as it was meant: phones add capitals and spaces, and write digits in the script of the keyboard."""
    return " ".join(_plain(typed).casefold().split())


def derive(pepper: bytes, pin: str) -> str:
    return _HASHER.hash(_peppered(pepper, pin))


def verify(pepper: bytes, pin: str, kept: str | None) -> bool:
    """Compare with what is kept, or do the same work for nothing."""
    try:
        return _HASHER.verify(kept or NO_PIN, _peppered(pepper, pin))
    except (VerifyMismatchError, InvalidHashError):
        return False


def _peppered(pepper: bytes, pin: str) -> bytes:
    return hmac.new(pepper, pin.encode(), hashlib.sha256).digest()


class Judgement(Enum):
    FINE = "fine"
    SHORT = "short"
    EASY = "easy"


def judge(pin: str, common: Container[str] = ()) -> Judgement:
    """Could somebody close guess this PIN? ``common`` holds the passwords that are tried first."""
    kernel = "".join(character for character in pin if character.isalnum())
    if len(kernel) < MIN_PIN or len(pin) > MAX_PIN:
        return Judgement.SHORT
    guesses = (_is_repeated, _is_sequence, _is_date)
    if any(guess(kernel) for guess in guesses):
        return Judgement.EASY
    # "princess1990" is "princess" to whoever guesses.
    if any(word in common for word in (pin, kernel, kernel.strip("0123456789"))):
        return Judgement.EASY
    return Judgement.FINE


def _is_repeated(kernel: str) -> bool:
    return len(set(kernel)) <= 2 or kernel in (kernel + kernel)[1:-1]


_ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)


def _is_sequence(kernel: str) -> bool:
    """A walk along the digits, the alphabet or the keyboard, or two such walks of four and more."""
    halves = [(kernel[:cut], kernel[cut:]) for cut in range(4, len(kernel) - 3)]
    return _is_walk(kernel) or any(_is_walk(a) and _is_walk(b) for a, b in halves)


def _is_walk(text: str) -> bool:
    return any(text in row or text in row[::-1] for row in _ROWS)


_MONTHS = set("jan feb mar apr may jun jul aug sep oct nov dec".split())  # noqa: SIM905
_WRITTEN = re.compile(r"^(\d{0,4})([a-z]{3,9})(\d{0,4})$")


def _is_date(kernel: str) -> bool:
    if re.fullmatch(r"\d{8}", kernel):
        parts = [
            (kernel[4:], kernel[2:4], kernel[:2]),
            (kernel[4:], kernel[:2], kernel[2:4]),
            (kernel[:4], kernel[4:6], kernel[6:]),
        ]
        return any(_is_day(*map(int, part)) for part in parts)
    written = _WRITTEN.match(kernel)
    return bool(written and written[2][:3] in _MONTHS and (written[1] or written[3]))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return 1900 <= date(year, month, day).year <= 2100
    except ValueError:
        return False


@cache
def words() -> tuple[str, ...]:
    """The words that a PIN is drawn from: 2,048 or more, so that four are 44 bits."""
    return tuple(_WORDS.read_text("ascii").split())


def new_phrase() -> str:
    drawn: list[str] = []
    while len(drawn) < PHRASE_WORDS:
        word = secrets.choice(words())
        if word not in drawn:
            drawn.append(word)
    return " ".join(drawn)


def is_phrase(pin: str) -> bool:
    """Whether it is four different words of our list, as this page draws them."""
    drawn = pin.split(" ")
    return len(set(drawn)) == len(drawn) == PHRASE_WORDS and set(drawn) <= set(words())


def _plain(text: str) -> str:
    """Compatible forms joined, and the decimal digits of every script as 0 to 9."""
    return "".join(
        str(unicodedata.decimal(character))
        if unicodedata.decimal(character, None) is not None
        else character
        for character in unicodedata.normalize("NFKC", text)
    )
