"""Frames come out of the jail one at a time, and what comes is not believed unchecked."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from math import inf, nan
from pathlib import Path

import pytest

from moderation.media import MediaRefused, decode, frames, warm
from moderation.media.decode import PROGRAM
from moderation.media.frames import VIDEO_PROGRAM
from moderation.media.jailed import answers
from tests.moderation.media.files import saved, shipped
from tests.moderation.media.videos import refusal, scenes, seen, sound_only, video

FILM = Path(__file__).with_name("film.py")
MP4_BEGINS = b"\0\0\0\x14ftypisom\0\0\2\0mp41"


@pytest.fixture
def _nobody_waits() -> Iterator[None]:
    warm.end_all()
    yield
    warm.end_all()


def waiting(path: Path) -> int:
    """The process that would do the next job."""
    process = warm.take(path)
    warm.give_back(process)
    return process.process.pid


@pytest.mark.usefixtures("_nobody_waits")
class TestStreaming:
    def test_ends_the_process_when_nobody_wants_more(self) -> None:
        data = video(scenes(30, (640, 480)))
        process = warm.take(VIDEO_PROGRAM)
        warm.give_back(process)

        film = frames(data)
        assert len([*islice(film, 2)]) == 2
        film.close()

        assert process.process.poll() is not None
        assert len(seen(data, limit=3)) == 3

    def test_keeps_the_process_after_a_video_and_after_a_refused_one(self) -> None:
        before = waiting(VIDEO_PROGRAM)

        seen(video(scenes(1)))
        with pytest.raises(MediaRefused):
            seen(sound_only())

        assert waiting(VIDEO_PROGRAM) == before


def record(outcome: int, turn: int, width: int, height: int, at: float) -> bytes:
    return answers.FRAME.pack(outcome, turn, width, height, at)


DARK = record(answers.DONE, 0, 1, 1, 0) + bytes(3)
END = record(answers.STILL, 0, 0, 0, 0)


class TestAnswers:
    """The process may have been taken over: nothing that it says is believed unchecked."""

    @pytest.fixture(autouse=True)
    def _taken_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            sys.modules["moderation.media.frames"], "VIDEO_PROGRAM", FILM
        )

    def test_that_are_sound_are_frames(self) -> None:
        (frame,) = seen(MP4_BEGINS + DARK + END)

        assert frame.pixels.tolist() == [[[0, 0, 0]]]

    @pytest.mark.parametrize(
        "said",
        [
            b"",
            DARK,
            DARK[:-1],
            record(answers.DONE, 0, 0, 1, 0),
            record(answers.DONE, 0, 2**32 - 1, 2**32 - 1, 0),
            record(answers.DONE, 0, 9, 9, 0) + bytes(9),
            record(answers.DONE, 0, 1, 1, nan) + bytes(3) + END,
            record(answers.DONE, 0, 1, 1, inf) + bytes(3) + END,
            record(answers.DONE, 0, 1, 1, -1) + bytes(3) + END,
            record(99, 0, 1, 1, 0) + bytes(3) + END,
        ],
    )
    def test_that_are_not_are_refused(self, said: bytes) -> None:
        assert refusal(MP4_BEGINS + said) == "crashed"

    def test_that_do_not_end_are_cut_off(self) -> None:
        film = frames(MP4_BEGINS + 5 * DARK, limit=3)

        assert len([*islice(film, 3)]) == 3
        with pytest.raises(MediaRefused) as caught:
            next(film)
        assert caught.value.code == "crashed"


@pytest.mark.usefixtures("_nobody_waits")
class TestFfmpeg:
    def test_is_not_loaded_here(self) -> None:
        code = "import sys; from moderation import media; sys.exit('av' in sys.modules)"

        assert subprocess.run([sys.executable, "-c", code]).returncode == 0

    def test_is_not_loaded_where_pictures_are_decoded(self) -> None:
        decode(saved(shipped(), "PNG"))
        seen(video(scenes(1)))

        for path, is_there in ((PROGRAM, False), (VIDEO_PROGRAM, True)):
            maps = Path(f"/proc/{waiting(path)}/maps").read_text()
            assert ("libavcodec" in maps) == is_there
