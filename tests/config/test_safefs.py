"""The embedded broker under the two faults that kombu's own file transport has."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from config.safefs import UNREADABLE
from tests.config.safefs_actors import QUEUE, STOP, connect, receive, send


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def connection(folder: Path) -> Iterator[Connection]:
    with connect(folder) as connection:
        yield connection


def actor(role: str, folder: Path, *numbers: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.config.safefs_actors", role, str(folder)]
    command += map(str, (*numbers, 0, 0)[:2])
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def waiting(folder: Path) -> list[Path]:
    return sorted((folder / QUEUE.name).glob("[!.]*"))


class TestUnderARace:
    def test_loses_nothing_and_gives_nothing_twice(self, folder: Path) -> None:
        consumers = [actor("receive", folder) for _ in range(2)]
        producers = [actor("send", folder, n, n + 500) for n in range(0, 2000, 500)]
        for producer in producers:
            producer.communicate(timeout=60)
        send(folder, [STOP, STOP])

        taken = [consumer.communicate(timeout=60)[0] for consumer in consumers]

        numbers = [int(number) for line in taken for number in line.split()]
        assert sorted(numbers) == [STOP, STOP, *range(2000)]
        assert [process.returncode for process in producers + consumers] == [0] * 6
        assert list(folder.rglob("*.json")) == []

    def test_keeps_the_order_of_sending(self, folder: Path) -> None:
        send(folder, [*range(20), STOP])

        assert receive(folder) == [*range(20), STOP]


class TestAConsumer:
    def test_killed_costs_at_most_its_prefetch(self, folder: Path) -> None:
        send(folder, [*range(10), STOP])
        with actor("hold", folder, 4) as holder:
            assert holder.stdout is not None
            held = [int(holder.stdout.readline()) for _ in range(4)]
            holder.kill()

        assert held + receive(folder) == [*range(10), STOP]

    def test_stopped_politely_gives_back_what_it_held(self, folder: Path) -> None:
        send(folder, [1])
        with connect(folder) as connection:
            channel = connection.default_channel
            QUEUE(channel).declare()
            message = QUEUE(channel).get()
            assert message is not None
            assert waiting(folder) == []

        assert len(waiting(folder)) == 1
        send(folder, [STOP])
        assert receive(folder) == [1, STOP]


class TestTheFolder:
    def test_is_closed_to_other_users(self, folder: Path) -> None:
        send(folder, [1])

        modes = [path.stat().st_mode & 0o777 for path in (folder, folder / QUEUE.name)]
        assert modes == [0o700, 0o700]

    def test_is_refused_when_others_may_enter(self, folder: Path) -> None:
        folder.mkdir()
        folder.chmod(0o755)

        with pytest.raises(OperationalError, match="ours alone"):
            send(folder, [1])

    @pytest.mark.parametrize("name", ["../outside", "a/b", ".hidden", UNREADABLE])
    def test_cannot_be_left_by_a_queue_name(
        self, connection: Connection, name: str
    ) -> None:
        with pytest.raises(OperationalError, match="Not a queue name"):
            connection.default_channel.queue_declare(name)

    def test_shows_a_message_only_when_it_is_whole(self, folder: Path) -> None:
        send(folder, [STOP])
        (folder / QUEUE.name / ".0-half-written.json").write_text('{"body": "')

        assert receive(folder) == [STOP]
        assert not (folder / UNREADABLE).exists()

    def test_that_cannot_be_written_is_reported_to_the_sender(
        self, folder: Path
    ) -> None:
        folder.write_text("in the way")

        with pytest.raises(OperationalError, match="cannot be used"):
            send(folder, [1])


class TestAnUnreadableMessage:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"\xff\xfe",
            b"[]",
            b"{}",
            b'{"body": "", "headers": {}, "properties": [], "content-type": "",'
            b' "content-encoding": ""}',
            b'{"body": "", "headers": {}, "properties": {}, "content-type": "",'
            b' "content-encoding": ""}',
        ],
    )
    def test_is_set_aside_and_the_next_one_is_served(
        self, folder: Path, content: bytes
    ) -> None:
        send(folder, [1, STOP])
        (folder / QUEUE.name / "0-bad.json").write_bytes(content)

        assert receive(folder) == [1, STOP]
        assert (folder / UNREADABLE / "work-0-bad.json").read_bytes() == content

    def test_may_even_be_a_folder(self, folder: Path) -> None:
        send(folder, [STOP])
        (folder / QUEUE.name / "0-bad.json").mkdir()

        assert receive(folder) == [STOP]


class TestCounting:
    def test_knows_what_waits_and_purges_it(
        self, connection: Connection, folder: Path
    ) -> None:
        send(folder, [1, 2, 3])
        channel = connection.default_channel

        assert channel.queue_declare(QUEUE.name).message_count == 3
        assert channel.queue_purge(QUEUE.name) == 3
        assert waiting(folder) == []
