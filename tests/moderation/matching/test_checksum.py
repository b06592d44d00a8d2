"""The checksum: SipHash-2-4 as published, one row at a time and many at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.matching import row_checksum, row_checksums
from moderation.matching.checksum import siphash
from moderation.matching.engine import bytes_of, words_of

KEY = bytes(range(16))
# vectors_sip64 of the reference implementation: answer n is that to the bytes 0, 1, ... n-1 under KEY.
OFFICIAL = bytes.fromhex(
    """
    310e0edd47db6f72fd67dc93c539f8745a4fa9d909806c0d2d7efbd796666785b7877127e09427cf
    8da699cd64557618cee3fe586e46c9cb37d1018bf50002ab6224939a79f5f593b0e4a90bdf82009e
    f3b9dd94c5bb5d7aa7ad6b22462fb3f4fbe50e86bc8f1e75903d84c02756ea14eef27a8e90ca23f7
    e545be4961ca29a1db9bc2577fcc2a3f9447be2cf5e99a699cd38d96f0b3c14bbd6179a71dc96dbb
    98eea21af25cd6bec7673b2eb0cbf2d0883ea3e395675393c8ce5ccd8c030ca894af49f6c650adb8
    eab8858ade92e1bcf315bb5bb835d817adcf6b0763612e2fa5c91da7acaa4dde716595876650a2a6
    28ef495c53a387ad42c341d8fa92d832ce7cf2722f512771e37859f94623f3a7381205bb1ab0e012
    ae97a10fd434e015b4a31508beff4d3181396229f09079024d0cf49ee5d4dcca5c73336a76d8bf9a
    d0a704536ba93e0e925958fcd6420cada915c29bc8067318952b79f3bc0aa6d4f21df2e41d4535f9
    87577519048f53a910a56cf5dfcd9adbeb75095ccd986cd051a9cb9ecba312e696afadfc2ce666c7
    72fe52975a4364ee5a1645b276d592a1b274cb8ebf87870a6f9bb4203de7b381eaecb2a30b22a87f
    9924a43cc1315724bd838d3aafbf8db70b1a2a3265d51aea135079a3231ce660932b2846e4d70666
    e1915f5cb1eca46cf325965ca16d629f575ff28e60381be5724506eb4c328a95
    """
)
FIXED = 0x35B4DBFEC6324FBE


@pytest.mark.parametrize("length", range(64))
def test_siphash_gives_the_official_answers(length: int) -> None:
    answer = siphash(bytes(range(length)), KEY)

    assert answer.to_bytes(8, "little") == OFFICIAL[8 * length : 8 * length + 8]


class TestRowChecksum:
    def test_is_over_the_id_and_the_hash(self) -> None:
        hash = bytes(range(100, 132))

        assert row_checksum(258, hash, KEY) == siphash(b"\0\0\0\0\0\0\1\2" + hash, KEY)

    def test_is_fixed_for_good(self) -> None:
        """Databases keep the same sum: another mixing would make all of them rebuild."""
        assert row_checksum(1, bytes(range(32))) == FIXED

    def test_depends_on_the_key(self) -> None:
        assert row_checksum(1, bytes(32), KEY) != row_checksum(1, bytes(32))

    def test_sees_two_ids_that_changed_hashes(self) -> None:
        a, b = bytes(32), bytes(31) + b"\1"

        assert row_checksum(1, a) + row_checksum(2, b) != (
            row_checksum(1, b) + row_checksum(2, a)
        )


@pytest.mark.parametrize("bits", [64, 256])
@given(data=st.data())
def test_many_rows_at_once_are_each_as_one(bits: int, data: st.DataObject) -> None:
    hash = st.binary(min_size=bits // 8, max_size=bits // 8)
    any_id = st.integers(-(2**63), 2**63 - 1)
    rows = data.draw(st.dictionaries(any_id, hash, max_size=8))
    key = data.draw(st.binary(min_size=16, max_size=16))
    ids = np.array(list(rows), np.int64)

    at_once = row_checksums(ids, words_of(rows.values(), bits), key)

    assert at_once.tolist() == [row_checksum(*row, key) for row in rows.items()]


def test_rows_beyond_one_block_are_counted() -> None:
    ids = np.arange(40_000)
    words = np.random.default_rng(1).integers(0, 2**64, (40_000, 4), np.uint64)
    last = bytes_of(words[-1:])[0]

    checksums = row_checksums(ids, words, KEY)

    assert np.unique(checksums).size == 40_000
    assert checksums[-1] == row_checksum(39_999, last, KEY)
