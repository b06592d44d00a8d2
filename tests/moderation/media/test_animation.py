"""A picture that moves is what a browser shows of it, one frame a second, or all of them where they are few."""

import pytest
from PIL import Image

from moderation.media import is_moving
from tests.moderation.media.files import gif_with_huge_frame, saved, shipped
from tests.moderation.media.videos import (
    animation,
    gif,
    refusal,
    scenes,
    seen,
    times,
    which,
)

WHITE = [255, 255, 255]


@pytest.mark.parametrize("format", ["GIF", "WEBP", "AVIF", "PNG"])
class TestEachKind:
    def test_gives_all_frames_while_they_are_few(self, format: str) -> None:
        images = scenes(5)
        data = animation(images, format, duration=70)

        found = seen(data)

        assert is_moving(data)
        assert [which(frame, images) for frame in found] == [0, 1, 2, 3, 4]
        assert [frame.at_seconds for frame in found] == pytest.approx(
            [0, 0.07, 0.14, 0.21, 0.28]
        )

    def test_gives_one_a_second_when_they_are_many(self, format: str) -> None:
        images = scenes(75, (32, 24))

        assert times(animation(images, format, duration=100)) == [*range(8)]

    def test_of_one_frame_is_a_still(self, format: str) -> None:
        data = saved(scenes(1)[0], format)

        assert not is_moving(data)
        assert times(data) == [0]


class TestAnAnimation:
    @pytest.mark.parametrize("format", ["GIF", "PNG"])
    def test_that_breaks_off_ends_there(self, format: str) -> None:
        images = scenes(8)
        data = animation(images, format, duration=1000)

        found = seen(data[: len(data) // 2])

        assert 0 < len(found) < 8
        assert which(found[-1], images) == len(found) - 1

    def test_of_no_duration_is_shown_as_browsers_do(self) -> None:
        assert times(gif(100, centiseconds=0)) == [*range(10)]

    def test_is_painted_on_white(self) -> None:
        clear = Image.new("RGBA", (9, 9), (0, 0, 0, 0))
        data = animation([clear, Image.new("RGBA", (9, 9), (9, 9, 9, 255))], "WEBP")

        first, second = seen(data)

        assert first.pixels[0, 0].tolist() == WHITE
        assert second.pixels.max() < 30

    def test_of_50_000_frames_is_refused(self) -> None:
        assert refusal(gif(50_000)) == "too_many_frames"

    def test_of_more_than_ten_minutes_is_refused(self) -> None:
        assert refusal(gif(12_001, centiseconds=5)) == "too_long"

    def test_of_ten_minutes_is_not(self) -> None:
        assert times(gif(6000, centiseconds=10)) == [*range(600)]

    def test_of_a_frame_larger_than_its_screen_is_refused(self) -> None:
        assert refusal(gif_with_huge_frame()) == "too_many_pixels"

    def test_that_is_damaged_from_the_start_is_refused(self) -> None:
        assert refusal(b"GIF89a" + bytes(99)) == "truncated"

    def test_of_a_still_is_the_still(self) -> None:
        (frame,) = seen(saved(shipped(), "JPEG"))

        assert frame.pixels.shape == (512, 512, 3)
        assert not is_moving(saved(shipped(), "JPEG"))
