"""A video is its frames, one a second, as vpdq takes them; so is a picture that moves."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.reformatter import Colorspace
from PIL import Image

from moderation.hashing import pdq
from moderation.media import (
    Frame,
    frames,
    is_moving,
    recognise,
)
from moderation.media.jailed import answers
from moderation.media.jailed import video as program
from tests.moderation.media.videos import (
    external,
    lying,
    refusal,
    scenes,
    seen,
    sound_only,
    times,
    video,
    which,
    with_tracks,
)

MP4_BEGINS = b"\0\0\0\x14ftypisom\0\0\2\0mp41"


def distance(frame: Frame, image: Image.Image) -> int:
    one, two = pdq(frame.pixels).hash, pdq(np.asarray(image)).hash
    return (int.from_bytes(one) ^ int.from_bytes(two)).bit_count()


class TestKinds:
    @pytest.mark.parametrize(
        ("codec", "format", "kind"),
        [
            ("libx264", "mp4", "mp4"),
            ("libx264", "mov", "mov"),
            ("libx264", "matroska", "mkv"),
            ("libx265", "mp4", "mp4"),
            ("mpeg4", "mp4", "mp4"),
            ("libvpx", "webm", "webm"),
            ("libvpx-vp9", "webm", "webm"),
            ("libsvtav1", "mp4", "mp4"),
        ],
    )
    def test_are_recognised_and_decoded(
        self, codec: str, format: str, kind: str
    ) -> None:
        images = scenes(3)

        data = video(images, codec=codec, format=format)

        assert recognise(data) == kind
        assert is_moving(data)
        for frame, image in zip(seen(data), images, strict=True):
            assert distance(frame, image) <= 10

    def test_of_an_old_camera_have_no_list_of_brands(self) -> None:
        data = video(scenes(2), format="mov")
        size = int.from_bytes(data[:4])
        assert data[4:8] == b"ftyp"

        old = size.to_bytes(4) + b"free" + bytes(size - 8) + data[size:]

        assert recognise(old) == "mov"
        assert len(seen(old)) == 2

    def test_with_sound_are_looked_at_only(self) -> None:
        assert len(seen(video(scenes(2), sound=True))) == 2


class TestChoice:
    """As vpdq: frames 0, n, 2n ... of those decoded, n the whole part of the rate."""

    @pytest.mark.parametrize(
        ("fps", "step"), [(5, 5), (Fraction(30_000, 1001) / 4, 7), (Fraction(3, 2), 1)]
    )
    def test_is_by_count(self, fps: int | Fraction, step: int) -> None:
        images = scenes(16, (64, 48))

        found = seen(video(images, fps=fps))

        assert [which(frame, images) for frame in found] == [*range(0, 16, step)]
        for number, frame in enumerate(found):
            assert frame.at_seconds == pytest.approx(number * step / fps, abs=0.01)

    def test_is_every_frame_of_a_slow_one(self) -> None:
        assert times(video(scenes(4), fps=Fraction(1, 3))) == [0, 3, 6, 9]

    def test_is_the_callers(self) -> None:
        data = video(scenes(12, (64, 48)), fps=4)

        assert times(data, every=0.5) == [0, 0.5, 1, 1.5, 2, 2.5]
        assert times(data, every=2) == [0, 2]
        assert times(data, limit=2) == [0, 1]

    def test_is_by_time_where_the_rate_is_a_lie(self) -> None:
        """A burst makes the mean rate high; the long scene after it must not be skipped for that."""
        burst = [*range(0, 100, 4)]
        at = [*burst, *range(2000, 12_000, 1000)]

        found = times(video(scenes(len(at), (64, 48)), times=at))

        assert found[0] == 0
        assert max(b - a for a, b in zip(found, [*found[1:], 12], strict=True)) <= 2
        assert len(found) < 12

    def test_is_not_thousands_of_a_second_that_says_to_be_slow(self) -> None:
        at = [*range(0, 400, 10), 100_000]

        assert len(seen(video(scenes(len(at), (64, 48)), times=at))) < 5


class TestTracks:
    def test_are_all_looked_at(self) -> None:
        """Or a harmless first track would hide the one that a player shows."""
        images = scenes(5)

        found = seen(with_tracks(images[:2], images[2:]))

        assert [which(frame, images) for frame in found] == [0, 1, 2, 3, 4]
        assert [frame.at_seconds for frame in found] == [0, 1, 0, 1, 2]

    def test_share_what_may_be_looked_at(self) -> None:
        images = scenes(6)

        found = seen(with_tracks(images[:3], images[3:]), limit=4)

        assert [which(frame, images) for frame in found] == [0, 1, 3, 4]
        assert len(seen(with_tracks(images[:3], images[3:]), limit=1)) == 1
        assert len(seen(with_tracks(images[:3], images[3:]), limit=3)) == 3


class TestRotation:
    """A, b, c, d of the matrix: where a point x, y of the stored frame is shown."""

    @pytest.mark.parametrize(
        ("matrix", "transposition"),
        [
            ((1, 0, 0, 1), None),
            ((0, 1, -1, 0), Image.Transpose.ROTATE_270),
            ((-1, 0, 0, -1), Image.Transpose.ROTATE_180),
            ((0, -1, 1, 0), Image.Transpose.ROTATE_90),
            ((-1, 0, 0, 1), Image.Transpose.FLIP_LEFT_RIGHT),
            ((1, 0, 0, -1), Image.Transpose.FLIP_TOP_BOTTOM),
            ((0, 1, 1, 0), Image.Transpose.TRANSPOSE),
            ((0, -1, -1, 0), Image.Transpose.TRANSVERSE),
        ],
    )
    def test_is_applied(
        self, matrix: tuple[int, ...], transposition: Image.Transpose | None
    ) -> None:
        (image,) = scenes(1)
        expected = (
            image.transpose(transposition) if transposition is not None else image
        )

        (frame,) = seen(lying(video([image]), matrix))

        assert frame.pixels.shape[1::-1] == expected.size
        assert np.abs(frame.pixels.astype(int) - np.asarray(expected)).mean() < 8


class TestPixels:
    def test_are_as_many_as_were_coded(self) -> None:
        (frame,) = seen(video(scenes(1, (1282, 722))))

        assert frame.pixels.shape == (722, 1282, 3)

    def test_keep_the_brightness_that_was_stored_whatever_the_matrix(self) -> None:
        """HD video is BT.709; read by that matrix, colourful scenes would get other hashes than with vpdq."""
        plain, told = (video(scenes(1), colours=colours) for colours in (2, 1))

        with program.opened(told) as container:
            assert next(container.decode(video=0)).colorspace == Colorspace.ITU709
        assert np.array_equal(seen(told)[0].pixels, seen(plain)[0].pixels)

    def test_do_not_show_themselves_in_logs(self) -> None:
        assert repr(seen(video(scenes(1)))[0]) == "Frame(at_seconds=0.0)"


class TestRefusals:
    def test_of_sound_alone(self) -> None:
        assert refusal(sound_only()) == "no_frames"

    def test_of_no_frame(self) -> None:
        data = video(scenes(1), movflags="frag_keyframe+empty_moov")

        assert refusal(data[: data.index(b"moof") - 4]) == "no_frames"

    def test_of_more_than_ten_minutes(self) -> None:
        assert refusal(video(scenes(2), times=[0, 700_000])) == "too_long"

    def test_of_ten_minutes_that_hide_their_length(self) -> None:
        """As a live stream is written: no length in the header."""
        data = video(
            scenes(3),
            times=[0, 1000, 700_000],
            format="matroska",
            codec="mpeg4",
            live="1",
        )

        assert refusal(data) == "too_long"

    def test_of_more_than_4k(self) -> None:
        image = Image.new("RGB", (4112, 2304))

        assert refusal(video([image], codec="mpeg4")) == "too_many_pixels"

    def test_of_too_many_frames(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(program, "MAX_WALKED", 3)

        with pytest.raises(answers.Stop) as caught:
            list(program.frames(video(scenes(4)), 1.0, 600))

        assert caught.value.outcome == answers.TOO_MANY_FRAMES

    def test_of_encryption(self) -> None:
        data = video(
            scenes(2),
            encryption_scheme="cenc-aes-ctr",
            encryption_key="00" * 16,
            encryption_kid="01" * 16,
        )

        assert refusal(data) == "encrypted"

    def test_of_a_codec_that_we_do_not_take(self) -> None:
        data = video(scenes(1), codec="ffv1", format="matroska")

        assert refusal(data) == "unsupported_codec"

    def test_of_a_codec_that_nobody_knows(self) -> None:
        data = video(scenes(1)).replace(b"avc1", b"zzz9")

        assert refusal(data) == "unsupported_codec"

    @pytest.mark.parametrize("begins", [MP4_BEGINS, b"\x1aE\xdf\xa3\x84B\x82webm"])
    def test_of_a_beginning_and_then_noise(self, begins: bytes) -> None:
        assert refusal(begins + b"nothing of the kind" * 99) == "truncated"

    def test_of_what_lies_in_another_file(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret.mov"
        secret.write_bytes(video(scenes(2), format="mov"))
        pointer = external(secret)

        with program.av.open(
            str(_written(tmp_path, pointer)),
            options={"enable_drefs": "1", "use_absolute_path": "1"},
        ) as trusting:
            assert len([*trusting.decode(video=0)]) == 2

        assert refusal(pointer) in {"no_frames", "truncated"}

    @pytest.mark.parametrize(
        "data",
        [
            b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
            b"ffconcat version 1.0\nfile /etc/passwd\n",
        ],
    )
    def test_of_a_list_of_other_files(self, data: bytes) -> None:
        assert refusal(data) == "not_an_image"


def _written(folder: Path, data: bytes) -> Path:
    path = folder / "pointer.mov"
    path.write_bytes(data)
    return path


class TestBrokenVideo:
    """Gives what a player would show of it."""

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
    def test_that_ends_early_ends_early(self, share: float) -> None:
        images = scenes(8)
        data = video(images, movflags="frag_keyframe+empty_moov", codec="mpeg4")

        found = seen(data[: int(share * len(data))])

        assert 0 < len(found) < 8
        assert [which(frame, images) for frame in found] == [*range(len(found))]

    def test_with_a_hole_goes_on_behind_it(self) -> None:
        images = scenes(8)
        data = bytearray(video(images, codec="libvpx", format="webm"))
        middle = len(data) // 2
        data[middle : middle + 400] = b"\xa5" * 400

        found = {which(frame, images) for frame in frames(bytes(data))}

        assert {0, 1, 7} <= found

    def test_without_its_index_is_refused(self) -> None:
        data = video(scenes(3))

        assert refusal(data[: data.index(b"moov") - 4]) == "truncated"

    def test_of_noise_is_refused(self) -> None:
        data = bytearray(video(scenes(3)))
        start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
        data[start:end] = b"\xa5" * (end - start)

        assert refusal(bytes(data)) == "truncated"
