"""Which videos are copies of one another, from their frames' hashes."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.hashing import (
    VideoFrame,
    compare_videos,
    distinct_frames,
    judge,
    pack_frames,
    unpack_frames,
)

FRAMES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=20)


def frame(number: int, flipped: int = 0) -> bytes:
    """Frames of two numbers are 64 bits apart; `flipped` bits of each may be changed."""
    block = ((1 << 32) - 1) << (32 * (number % 8))
    value = block ^ (((1 << 16) - 1) * (number // 8)) ^ ((1 << flipped) - 1)
    return value.to_bytes(32)


def others(count: int) -> list[bytes]:
    """Frames that no `frame` is near to."""
    return [hashlib.sha256(bytes([number])).digest() for number in range(count)]


def video(*numbers: int, flipped: int = 0) -> list[bytes]:
    return [frame(number, flipped) for number in numbers]


class TestDistinctFrames:
    def test_are_each_once_in_order(self) -> None:
        frames = [
            VideoFrame(frame(number), 100, float(at))
            for at, number in enumerate((3, 1, 3, 3, 2, 1))
        ]

        assert distinct_frames(frames) == tuple(video(3, 1, 2))

    def test_are_those_of_quality_50_and_more(self) -> None:
        frames = [
            VideoFrame(frame(quality), quality, 0.0) for quality in (0, 49, 50, 51)
        ]

        assert distinct_frames(frames) == tuple(video(50, 51))

    def test_are_600_at_most(self) -> None:
        frames = [
            VideoFrame(number.to_bytes(32), 100, float(number)) for number in range(700)
        ]

        assert distinct_frames(frames)[-1] == (599).to_bytes(32)

    def test_do_not_show_themselves_in_logs(self) -> None:
        made = VideoFrame(frame(1), 100, 2.0)

        assert repr(made) == "VideoFrame(quality=100, at_seconds=2.0)"


class TestPacking:
    @given(FRAMES)
    def test_loses_nothing(self, frames: list[bytes]) -> None:
        assert unpack_frames(pack_frames(frames)) == tuple(frames)

    @pytest.mark.parametrize("frames", [[], [bytes(31)], [bytes(32), bytes(33)]])
    def test_refuses_what_is_no_video(self, frames: list[bytes]) -> None:
        with pytest.raises(ValueError, match="hash"):
            pack_frames(frames)

    def test_refuses_more_than_600_frames(self) -> None:
        with pytest.raises(ValueError, match="600"):
            pack_frames([bytes(32)] * 601)

    @pytest.mark.parametrize("length", [0, 31, 33, 601 * 32])
    def test_reading_refuses_what_it_could_not_have_made(self, length: int) -> None:
        with pytest.raises(ValueError, match="32"):
            unpack_frames(bytes(length))


class TestACopy:
    def test_of_the_whole_is_a_match(self) -> None:
        verdict = compare_videos(video(*range(8)), video(*range(8), flipped=31))

        assert verdict.is_match
        assert (verdict.query_share, verdict.bank_share) == (1, 1)
        assert verdict.matched_count == 8
        assert not verdict.needs_review

    def test_frames_of_32_bits_away_are_none(self) -> None:
        verdict = compare_videos(video(*range(4)), video(*range(4), flipped=32))

        assert not verdict.is_match
        assert not verdict.needs_review

    def test_of_a_clip_inside_a_compilation_is_a_match(self) -> None:
        bank = video(0, 1, 2, 3)
        verdict = compare_videos([*bank, *others(36)], bank)

        assert verdict.is_match
        assert verdict.bank_share == 1
        assert verdict.query_share < 0.2

    def test_of_an_excerpt_of_a_longer_video_is_a_match(self) -> None:
        bank = [*video(0, 1, 2, 3), *others(36)]
        verdict = compare_videos(video(0, 1, 2, 3), bank)

        assert verdict.is_match
        assert verdict.query_share == 1

    def test_in_another_order_is_a_match(self) -> None:
        assert compare_videos(video(4, 2, 0, 3, 1), video(0, 1, 2, 3, 4)).is_match


class TestTooLittle:
    @pytest.mark.parametrize("count", [1, 2])
    def test_fewer_than_three_frames_go_to_review(self, count: int) -> None:
        verdict = compare_videos(video(*range(count)), video(*range(count)))

        assert (verdict.is_match, verdict.needs_review) == (False, True)

    def test_a_single_frame_of_a_long_video_goes_to_review(self) -> None:
        verdict = compare_videos(video(1), video(*range(8)))

        assert (verdict.is_match, verdict.needs_review) == (False, True)

    def test_three_frames_like_one_of_ours_are_still_three_of_theirs(self) -> None:
        verdict = compare_videos([frame(1, bits) for bits in (0, 1, 2)], video(1, 2, 3))

        assert (verdict.query_share, verdict.matched_count) == (1, 3)
        assert verdict.is_match

    @pytest.mark.parametrize(
        ("matched", "is_match"), [(3, False), (7, False), (8, True), (10, True)]
    )
    def test_less_than_eighty_percent_goes_to_review(
        self, matched: int, is_match: bool
    ) -> None:
        verdict = judge(10, set(range(matched)), 1000, set(range(matched)))

        assert verdict.is_match is is_match
        assert verdict.needs_review is not is_match

    def test_nothing_in_common_is_nothing(self) -> None:
        verdict = judge(10, set(), 10, set())

        assert (verdict.is_match, verdict.needs_review) == (False, False)

    @pytest.mark.parametrize("counts", [(0, 5), (5, 0)])
    def test_a_side_without_frames_is_refused(self, counts: tuple[int, int]) -> None:
        with pytest.raises(ValueError, match="frames"):
            judge(counts[0], set(), counts[1], set())


@given(FRAMES, FRAMES)
def test_comparing_the_other_way_round_only_swaps_the_shares(
    ours: list[bytes], theirs: list[bytes]
) -> None:
    there, back = compare_videos(ours, theirs), compare_videos(theirs, ours)

    assert (there.query_share, there.bank_share) == (back.bank_share, back.query_share)
    assert there.is_match is back.is_match
    assert there.needs_review is back.needs_review


@given(FRAMES)
def test_every_video_is_all_of_itself(frames: list[bytes]) -> None:
    verdict = compare_videos(frames, frames)

    assert (verdict.query_share, verdict.bank_share) == (1, 1)
    assert verdict.is_match is (len(frames) >= 3)
