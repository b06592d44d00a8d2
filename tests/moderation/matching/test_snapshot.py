"""The snapshot: all rows, from any process, or a refusal that says why."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.matching import (
    Exposed,
    Found,
    Rows,
    Snapshot,
    SnapshotDamaged,
    bytes_of,
    row_checksum,
    words_of,
    write_snapshot,
)
from moderation.matching.private_file import replacing
from tests.moderation.matching.planting import KEY, hashes

ROOT = Path(__file__).resolve().parents[3]
INDEXED = 33_001  # enough rows for the multi-index, and an odd number


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows"


def write(path: Path, count: int, seed: int = 1, number: int = 7) -> list[bytes]:
    values = hashes(count, seed)
    write_snapshot(path, np.arange(count) + 5, words_of(values), number=number, key=KEY)
    return values


@pytest.mark.parametrize("count", [0, 1, 200, INDEXED])
class TestSnapshot:
    def test_holds_the_rows_that_were_written(self, path: Path, count: int) -> None:
        values = write(path, count)

        snapshot = Snapshot.open(path, KEY)

        rows = {
            id: hash
            for part in snapshot.rows()
            for id, hash in zip(part.ids.tolist(), bytes_of(part.words), strict=True)
        }
        assert rows == dict(enumerate(values, 5))
        assert (len(snapshot), snapshot.number) == (count, 7)
        assert snapshot.checksum == (
            sum(row_checksum(*row, KEY) for row in enumerate(values, 5)) % 2**64
        )

    def test_fetches_rows_by_their_ids(self, path: Path, count: int) -> None:
        values = write(path, count)
        snapshot = Snapshot.open(path, KEY)

        for ids in ([], [5, 5, 4, -(2**63), 2**63 - 1, 2**40], range(2**16)):
            rows = snapshot.fetch(np.array(ids, np.int64))
            got = dict(zip(rows.ids.tolist(), bytes_of(rows.words), strict=True))
            assert len(rows.ids) == len(got)
            assert got == {id: value for id, value in enumerate(values, 5) if id in ids}

    def test_refuses_to_be_changed(self, path: Path, count: int) -> None:
        write(path, count)

        for part in Snapshot.open(path, KEY).rows():
            with pytest.raises(ValueError, match="read-only"):
                part.words[0] = 0


class TestIds:
    @pytest.mark.parametrize(
        "ids", [[-(2**63), 2**63 - 1, 0], [2**40, 2**40 + 2**32 - 1, 2**40 + 9], [3]]
    )
    def test_of_any_size_come_back(self, path: Path, ids: list[int]) -> None:
        values = hashes(len(ids))
        write_snapshot(path, np.array(ids), words_of(values), number=1, key=KEY)
        snapshot = Snapshot.open(path, KEY)

        assert snapshot.match(values, 0) == [
            Found(number, id, 0) for number, id in enumerate(ids)
        ]
        assert sorted(snapshot.fetch(np.array(ids)).ids.tolist()) == sorted(ids)

    def test_that_are_not_distinct_are_refused(self, path: Path) -> None:
        with pytest.raises(ValueError, match="id of its own"):
            write_snapshot(
                path, np.array([1, 1]), words_of(hashes(2)), number=1, key=KEY
            )
        assert not path.exists()

    def test_take_no_more_memory_than_they_need(self, path: Path) -> None:
        write(path, INDEXED)

        tables = 16 * (2**16 + 1) * 4
        assert path.stat().st_size < tables + 74 * INDEXED + 4_096


class TestDamage:
    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(place=st.integers(0), bit=st.integers(0, 7))
    def test_of_any_bit_is_seen(self, path: Path, place: int, bit: int) -> None:
        if not path.exists():
            write(path, 60)
        whole = path.read_bytes()
        damaged = bytearray(whole)
        damaged[place % len(whole)] ^= 1 << bit
        path.write_bytes(damaged)

        with pytest.raises(SnapshotDamaged):
            Snapshot.open(path, KEY)
        path.write_bytes(whole)

    def test_anywhere_in_the_header_is_seen(self, path: Path) -> None:
        write(path, 60)
        whole = path.read_bytes()

        for place in range(128):
            path.write_bytes(
                whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :]
            )
            with pytest.raises(SnapshotDamaged):
                Snapshot.open(path, KEY)

    @pytest.mark.parametrize("share", [0.2, 0.3, 0.5, 0.7, 0.95, 0.99999])
    def test_in_every_part_of_an_index_is_seen(self, path: Path, share: float) -> None:
        write(path, INDEXED)
        with path.open("r+b") as file:
            file.seek(int(share * path.stat().st_size))
            old = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([old[0] ^ 16]))

        with pytest.raises(SnapshotDamaged, match="seal"):
            Snapshot.open(path, KEY)

    @pytest.mark.parametrize("length", [0, 1, 127, 128, 159, 160, 1_000, 2_000])
    def test_a_file_cut_short_is_refused(self, path: Path, length: int) -> None:
        write(path, 60)
        os.truncate(path, length)

        with pytest.raises(SnapshotDamaged):
            Snapshot.open(path, KEY)

    def test_a_file_that_grew_is_refused(self, path: Path) -> None:
        write(path, 60)
        with path.open("ab") as file:
            file.write(bytes(64))

        with pytest.raises(SnapshotDamaged, match="long"):
            Snapshot.open(path, KEY)

    def test_other_rows_under_a_good_seal_are_seen(self, path: Path) -> None:
        """Nobody without the key can make such a file; a writer that goes wrong could."""
        write(path, 60)
        body = bytearray(path.read_bytes()[:-32])
        body[1_000] ^= 1
        seal = hashlib.blake2b(body, key=KEY, digest_size=32, person=b"NWMCROWS")
        path.write_bytes(body + seal.digest())

        with pytest.raises(SnapshotDamaged, match="checksum"):
            Snapshot.open(path, KEY)

    def test_another_key_is_refused(self, path: Path) -> None:
        write(path, 60)

        with pytest.raises(SnapshotDamaged, match="seal"):
            Snapshot.open(path, bytes(16))

    def test_some_other_file_is_refused(self, path: Path) -> None:
        path.write_bytes(b"x" * 5_000)
        path.chmod(0o600)

        with pytest.raises(SnapshotDamaged, match="no snapshot"):
            Snapshot.open(path, KEY)

    def test_no_file_is_no_damage(self, path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            Snapshot.open(path, KEY)


class TestPrivacy:
    def test_only_the_owner_may_read_it(self, path: Path) -> None:
        usual = os.umask(0)
        write(path, 3)
        os.umask(usual)

        assert path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
    def test_a_file_open_to_others_is_refused(self, path: Path, mode: int) -> None:
        write(path, 3)
        path.chmod(mode)

        with pytest.raises(SnapshotDamaged, match="0600"):
            Snapshot.open(path, KEY)

    def test_a_symbolic_link_is_refused(self, path: Path) -> None:
        write(path, 3)
        link = path.with_name("link")
        link.symlink_to(path)

        with pytest.raises(SnapshotDamaged, match="link"):
            Snapshot.open(link, KEY)

    def test_a_pipe_is_refused_without_waiting(self, path: Path) -> None:
        os.mkfifo(path, 0o600)

        with pytest.raises(SnapshotDamaged, match="0600"):
            Snapshot.open(path, KEY)

    def test_a_link_at_its_place_is_replaced_not_followed(self, path: Path) -> None:
        target = path.with_name("target")
        target.write_text("mine")
        path.symlink_to(target)

        write(path, 3)

        assert not path.is_symlink()
        assert target.read_text() == "mine"

    def test_a_link_left_for_the_writer_is_not_followed(self, path: Path) -> None:
        target = path.with_name("target")
        target.write_text("mine")
        path.with_name(".rows.part").symlink_to(target)

        write(path, 3)

        assert target.read_text() == "mine"
        assert len(Snapshot.open(path, KEY)) == 3

    @pytest.mark.parametrize("mode", [0o750, 0o705, 0o720])
    def test_a_directory_open_to_others_is_refused(self, path: Path, mode: int) -> None:
        path.parent.chmod(mode)

        with pytest.raises(Exposed, match="0700"):
            write(path, 3)
        assert not path.exists()

    def test_a_linked_directory_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir(0o700)
        (tmp_path / "link").symlink_to(tmp_path / "real")

        with pytest.raises(OSError, match=r"link|Not a directory"):
            write(tmp_path / "link" / "rows", 3)


class TestReplacement:
    def test_is_whole_or_not_at_all(self, path: Path) -> None:
        values = write(path, 3)

        with pytest.raises(MemoryError):
            fail_halfway(path)

        assert Snapshot.open(path, KEY).match(values[:1], 0) == [Found(0, 5, 0)]
        assert [file.name for file in path.parent.iterdir()] == ["rows"]

    def test_clears_what_a_killed_writer_left(self, path: Path) -> None:
        """Half a file may hold hashes that were withdrawn since."""
        path.with_name(".rows.part").write_bytes(b"half")

        write(path, 3)

        assert [file.name for file in path.parent.iterdir()] == ["rows"]

    def test_waits_for_another_writer(self, path: Path) -> None:
        """A writer in another process holds the directory, as far as it knows."""
        directory = os.open(path.parent, os.O_RDONLY)
        fcntl.flock(directory, fcntl.LOCK_EX)
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, "write", str(path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=0.5)
        assert not path.exists()
        os.close(directory)

        assert child.wait(timeout=60) == 0
        child.stdout.close()
        assert len(Snapshot.open(path, KEY)) == 1

    def test_leaves_the_old_rows_to_those_who_have_them_open(self, path: Path) -> None:
        old = write(path, INDEXED)
        snapshot = Snapshot.open(path, KEY)

        new = write(path, INDEXED, seed=2, number=8)

        asked = [old[3], new[3]]
        assert snapshot.match(asked, 31) == [Found(0, 8, 0)]
        assert Snapshot.open(path, KEY).match(asked, 31) == [Found(1, 8, 0)]

    def test_leaves_no_byte_of_a_withdrawn_hash(self, path: Path) -> None:
        values = write(path, 500)
        assert values[7][:8] in native(path)

        kept = Rows(np.arange(499), words_of(values[:7] + values[8:]))
        write_snapshot(path, *kept, number=8, key=KEY)

        assert values[7][:8] not in native(path)
        assert values[6][:8] in native(path)


def fail_halfway(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"half")
        raise MemoryError


def native(path: Path) -> bytes:
    """The file with its numbers as the hashes have them."""
    data = path.read_bytes()
    return np.frombuffer(data, np.uint64).astype(">u8").tobytes()


CHILD = """
import sys
from pathlib import Path
import numpy as np
from moderation.matching import Snapshot, words_of, write_snapshot
key, path = bytes(range(16)), Path(sys.argv[2])
print("ready", flush=True)
if sys.argv[1] == "write":
    write_snapshot(path, np.arange(1), words_of([bytes(32)]), number=1, key=key)
else:
    snapshot = Snapshot.open(path, key)
    for line in sys.stdin:
        print([tuple(found) for found in snapshot.match([bytes.fromhex(line)], 31)], flush=True)
"""


def test_two_processes_share_one_snapshot(path: Path) -> None:
    values = write(path, INDEXED)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, "match", str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"

    asked = "".join(f"{value.hex()}\n" for value in values[:200])
    answers = [child.communicate(asked, timeout=60)[0] for child in children]

    expected = "".join(f"{[(0, id, 0)]}\n" for id in range(5, 205))
    assert answers == [expected, expected]
