"""The process that decodes can do nothing else, and its death is one refusal (T-43, T-44)."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from moderation.media import (
    ALL_PROTECTIONS,
    MediaRefused,
    isolation,
    sandbox,
    warm,
)
from moderation.media.jailed import canonical, lockdown, video
from moderation.media.jailed.answers import UNTIL_DONE
from tests.moderation.media.hostile import MEGABYTE

HOSTILE = Path(__file__).with_name("hostile.py")

# One step of the lock by itself, then the deed that it must forbid: in earnest, the steps after
# it would hide its failure.
ALONE = """
import socket, sys
sys.path.insert(0, {folder!r})
import lockdown
lockdown.forbid_new_privileges()  # without it, an ordinary user may not shut out files
lockdown.{step}()
try:
    {deed}
except (OSError, MemoryError):
    sys.exit(0)
sys.exit("not refused")
"""
DEEDS = {
    "no_network": ("leave_the_network", "socket.create_connection({server})"),
    "no_files": ("leave_the_files", "open('/proc/self/status')"),
    "limits": ("limit_resources", "bytearray(800 * 1024 * 1024)"),
}


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()


def ask(do: str, *args: object, **options: object) -> bytes:
    limits = {key: options.pop(key) for key in list(options) if key.endswith("seconds")}
    order = json.dumps({"do": do, "with": args, **options}).encode()
    return bytes(sandbox.run(HOSTILE, order, reply_limit=10_000, **limits).body)


def refusal(do: str, **options: object) -> str:
    with pytest.raises(MediaRefused) as caught:
        ask(do, **options)
    return caught.value.code


class TestTheJail:
    def test_refuses_every_way_out(self, tmp_path: Path) -> None:
        key = tmp_path / "key"
        key.write_text("secret")
        key.chmod(0o444)

        assert json.loads(ask("probe", os.getpid(), str(key))) == []

    def test_inherits_no_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "planted")

        given = json.loads(ask("environment"))

        assert given.keys() - {"LC_CTYPE"} == warm.ENVIRONMENT.keys()  # Python adds one

    def test_inherits_no_open_file(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("planted")
        with secret.open() as file:
            os.set_inheritable(file.fileno(), True)

            assert json.loads(ask("readable", file.fileno())) is False

    def test_names_the_protections_in_force(self) -> None:
        assert {"limits", "no_new_privileges", "system_call_filter"} <= isolation()
        assert isolation() <= ALL_PROTECTIONS

    def test_has_a_network_of_its_own_before_any_job(self) -> None:
        warm.end_all()  # or there might be no room to wait for one that has worked
        ask("environment")
        process = warm.take(HOSTILE)
        warm.give_back(process)

        ours, its = (
            os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115 no file, a name
            for pid in (os.getpid(), process.process.pid)
        )

        assert (ours != its) == ("no_network" in isolation())

    def test_has_another_user_where_it_may(self) -> None:
        assert ("other_user" in isolation()) == (os.geteuid() == 0)


class TestEachStep:
    @pytest.mark.parametrize("name", sorted(DEEDS))
    def test_forbids_by_itself_or_says_that_it_cannot(
        self, name: str, server: tuple[str, int]
    ) -> None:
        step, deed = DEEDS[name]
        folder = str(Path(lockdown.__file__).parent)
        deed = deed.format(server=server)
        code = ALONE.format(folder=folder, step=step, deed=deed)

        ended = subprocess.run([sys.executable, "-c", code], capture_output=True)

        assert (ended.returncode == 0) == (name in isolation()), ended.stderr


class TestDeaths:
    def test_of_too_much_processor_time(self) -> None:
        assert refusal("spin", cpu_seconds=1) == "too_slow"

    def test_of_too_much_time(self) -> None:
        assert refusal("spin", wall_seconds=0.2) == "too_slow"

    def test_of_too_much_memory(self) -> None:
        assert refusal("devour") == "out_of_memory"

    def test_of_a_fault(self) -> None:
        assert refusal("crash") == "crashed"

    def test_of_a_bug(self) -> None:
        assert refusal("no such order") == "crashed"

    def test_before_it_has_read_everything(self) -> None:
        with pytest.raises(MediaRefused) as caught:
            sandbox.run(HOSTILE.with_name("absent.py"), bytes(9_000_000), reply_limit=0)
        assert caught.value.code == "crashed"


class TestAnswers:
    """The process may have been taken over: nothing that it says is believed unchecked."""

    def test_longer_than_allowed_are_not_read(self) -> None:
        assert refusal("lie", length=10**12) == "crashed"

    def test_shorter_than_announced_are_none(self) -> None:
        assert refusal("lie", length=10) == "crashed"

    def test_end_where_they_said(self) -> None:
        assert ask("lie", length=2) == b"fo"


@contextmanager
def talking(pieces: int, wall_seconds: float = 20) -> Iterator[sandbox.Conversation]:
    order = json.dumps({"do": "talk", "with": [pieces]}).encode()
    with sandbox.conversation(
        HOSTILE, order, wish=b"", cpu_seconds=5, wall_seconds=wall_seconds
    ) as talk:
        yield talk


class TestConversations:
    """For answers too large to hold at once."""

    def test_come_piece_by_piece(self) -> None:
        with talking(3) as talk:
            heard = [bytes(talk.hear(MEGABYTE)) for _ in range(3)]

            assert talk.length == UNTIL_DONE
            assert isolation() <= talk.protections
        assert heard == [bytes([number]) * MEGABYTE for number in range(3)]

    def test_wait_for_whoever_listens(self) -> None:
        """A gigabyte would not fit in the jail: it is made while it is heard."""
        with talking(1000) as talk:
            for number in range(1000):
                assert talk.hear(MEGABYTE)[-1] == number % 256

    def test_are_not_slow_because_their_listener_is(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Clock:
            now = 0.0

            def monotonic(self) -> float:
                return self.now

        clock = Clock()
        monkeypatch.setattr(sandbox, "time", clock)
        with talking(3, wall_seconds=10) as talk:
            for _ in range(3):
                clock.now += 60
                talk.hear(MEGABYTE)

    def test_that_end_too_early_are_refused(self) -> None:
        with pytest.raises(MediaRefused) as caught, talking(1) as talk:
            talk.hear(MEGABYTE + 1)
        assert caught.value.code == "crashed"

    def test_that_nobody_listens_to_end_with_their_process(self) -> None:
        with talking(1) as talk:
            talk.hear(MEGABYTE)
        process = warm.take(HOSTILE)
        warm.give_back(process)

        with pytest.raises(KeyError), talking(9) as talk:
            raise KeyError
        assert process.process.poll() is not None


def test_the_accepted_pictures_are_these_six() -> None:
    assert canonical.FORMATS == ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF")


def test_the_accepted_video_codecs_are_these_seven() -> None:
    assert set(video.CODECS) == {
        *("h264", "hevc", "vp8", "vp9", "libdav1d", "mpeg4", "h263")
    }
    assert video.OPTIONS["codec_whitelist"] == ",".join(video.CODECS)
    assert video.OPTIONS["protocol_whitelist"] == "none"
