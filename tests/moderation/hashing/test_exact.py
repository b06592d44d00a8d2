"""The published answers for the three letters abc (FIPS 180-2, RFC 1321)."""

from moderation.hashing import md5, sha256


def test_sha256() -> None:
    assert sha256(b"abc").hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_md5() -> None:
    assert md5(b"abc").hex() == "900150983cd24fb0d6963f7d28e17f72"
