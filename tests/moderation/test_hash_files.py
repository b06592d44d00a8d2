"""Lists of fingerprints as text: read strictly, written as they are read, never quoted in a refusal."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.pipeline.hash_files import (
    FORMATS,
    MOST_CHARACTERS,
    ReadHash,
    read_hashes,
    read_lines,
    write_hashes,
)
from moderation.pipeline.sorted_files import SortedFile
from moderation.services import HashRefused
from moderation.storage import blind_index

GOOD = bytes.fromhex("0f" * 32)
OTHER = bytes.fromhex("f0" * 32)
MD5 = bytes(range(16))


def read(text: str | bytes, format: str = "csv") -> list[ReadHash]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_hashes(io.BytesIO(data), format))


def refusal(text: str | bytes, format: str = "csv") -> str:
    with pytest.raises(HashRefused) as caught:
        read(text, format)
    return str(caught.value)


class TestReadHashes:
    def test_reads_csv_under_its_header_in_any_order(self):
        text = f"value,quality,signal_type\n{GOOD.hex()},80,pdq\n{MD5.hex()},,md5\n"

        assert read(text) == [
            ReadHash("pdq", GOOD, 80, 2),
            ReadHash("md5", MD5, None, 3),
        ]

    def test_reads_csv_without_a_header_by_the_length(self):
        assert read(f"{GOOD.hex()}\n{MD5.hex()}\n") == [
            ReadHash("pdq", GOOD, None, 1),
            ReadHash("md5", MD5, None, 2),
        ]

    def test_reads_json_lines(self):
        text = (
            f'{{"signal_type": "pdq", "value": "{GOOD.hex()}", "quality": 70}}\n'
            f'{{"signal_type": "sha256", "value": "{OTHER.hex()}"}}\n'
        )

        assert read(text, "jsonl") == [
            ReadHash("pdq", GOOD, 70, 1),
            ReadHash("sha256", OTHER, None, 2),
        ]

    def test_reads_what_threatexchange_calls_local_file(self):
        text = f"pdq {GOOD.hex()}\nvideo_md5 {MD5.hex()}\n"

        assert read(text, "threatexchange") == [
            ReadHash("pdq", GOOD, None, 1),
            ReadHash("md5", MD5, None, 2),
        ]

    def test_takes_what_spreadsheets_make_of_a_file(self):
        text = f'\r\n"signal_type","value"\r\n\r\n"pdq","{GOOD.hex()}"\r\n'

        assert read(b"\xef\xbb\xbf" + text.encode()) == [ReadHash("pdq", GOOD, None, 4)]

    def test_takes_a_whole_video(self):
        text = f"signal_type,value\nvpdq,{(GOOD * 600).hex()}\n"

        (row,) = read(text)

        assert row.value == GOOD * 600

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            (f"pdq,{GOOD.hex().upper()},90", "lower case"),
            (f"pdq,{'zz' * 32},90", "hexadecimal"),
            (f"pdq,{GOOD.hex()[:-1]},90", "63 digits"),
            (f"pdq,{GOOD.hex()[:-2]},90", "32 bytes"),
            (f"pdq,{'00' * 32},90", "zero"),
            (f"pdq,{'ff' * 32},90", "half of"),
            (f"pdq,{GOOD.hex()},49", "below 50"),
            (f"md5,{MD5.hex()},49", "below 50"),
            (f"pdq,{GOOD.hex()},fine", "whole number"),
            (f"pdq,{GOOD.hex()},101", "whole number"),
            (f"pdq,{GOOD.hex()},-1", "whole number"),
            (f"pdq,{GOOD.hex()}", "3 columns"),
            (f"url,{GOOD.hex()},", "signal types"),
            (f"vpdq,{'0f' * 32 * 601},", "600"),
            ("pdq,,90", "hexadecimal"),
            ('"pdq"\r,"",90', "quotes"),
        ],
    )
    def test_names_the_line_and_what_to_do(self, line, why):
        text = f"signal_type,value,quality\npdq,{OTHER.hex()},90\n{line}\n"

        said = refusal(text)

        assert said.startswith("Line 3: ")
        assert why in said
        assert GOOD.hex() not in said.lower()

    @pytest.mark.parametrize(
        ("text", "format", "why"),
        [
            ("value,colour\n", "csv", "header must be"),
            ("value,value,signal_type\n", "csv", "header must be"),
            ("abc\n", "csv", "3 characters"),
            ("[1]\n", "jsonl", "object"),
            ("{\n", "jsonl", "one JSON object"),
            ("[" * 2000 + "\n", "jsonl", "one JSON object"),
            ('{"signal_type": "pdq"}\n', "jsonl", "must be there"),
            ('{"signal_type": 1, "value": "0f"}\n', "jsonl", "must be there"),
            (
                f'{{"signal_type":"pdq","value":"{GOOD.hex()}","quality":true}}\n',
                "jsonl",
                "whole number",
            ),
            ('{"signal_type":"pdq","value":"0f","extra":1}\n', "jsonl", "object"),
            ("url https://example.com\n", "threatexchange", "signal types"),
            ("pdq\n", "threatexchange", "hexadecimal"),
            ("x" * (MOST_CHARACTERS + 1), "csv", "too long"),
            (b"\xff\xfe0\x00f\x00", "csv", "UTF-8"),
            (b"0f\x00\n", "csv", "UTF-8"),
        ],
    )
    def test_refuses_what_is_not_the_format(self, text, format, why):
        said = refusal(text, format)

        assert said.startswith("Line 1: ")
        assert why in said

    def test_refuses_an_unknown_format(self):
        assert "csv, jsonl, threatexchange" in refusal("", "xml")

    def test_never_reads_a_huge_line_into_memory(self):
        asked: list[int] = []

        class Endless:
            def readline(self, size: int = -1) -> bytes:
                asked.append(size)
                return b"0" * size

        with pytest.raises(HashRefused, match="too long"):
            list(read_hashes(Endless(), "csv"))

        assert asked == [MOST_CHARACTERS + 1]

    @given(st.binary(max_size=300), st.sampled_from(FORMATS))
    def test_answers_anything_with_rows_or_a_refusal(self, data, format):
        for row in read_lines(io.BytesIO(data), format):
            assert isinstance(row, ReadHash | HashRefused)


@pytest.mark.parametrize("format", FORMATS)
class TestSortedFile:
    def file(self, format: str, count: int = 40) -> io.BytesIO:
        rows = [
            ReadHash("pdq", (GOOD[1:] + bytes([number])), None, 0)
            for number in range(count)
        ]
        text = "\r\n".join(write_hashes(rows, format))
        return io.BytesIO(b"\xef\xbb\xbf" + text.encode())

    def test_gives_what_was_checked_in_the_order_of_the_index(self, format):
        rows = SortedFile(self.file(format), format)

        checked = list(rows.check())
        given = list(rows)

        assert len(rows) == 40
        assert sorted(given, key=lambda row: row.line) == checked
        indexes = [blind_index(row.value, row.signal_type) for row in given]
        assert indexes == sorted(indexes)

    def test_leaves_out_what_was_refused(self, format):
        file = self.file(format)
        file.seek(0, io.SEEK_END)
        file.write(b"nonsense\n")
        file.seek(0)
        rows = SortedFile(file, format)

        assert isinstance(list(rows.check())[-1], HashRefused)
        assert len(list(rows)) == len(rows) == 40

    def test_has_nothing_to_give_of_an_empty_file(self, format):
        rows = SortedFile(io.BytesIO(), format)

        assert [*rows.check(), *rows] == []

    def test_notices_that_the_file_was_changed(self, format):
        file = self.file(format)
        rows = SortedFile(file, format)
        list(rows.check())
        file.getbuffer()[-40:] = b"x" * 40

        with pytest.raises(HashRefused, match="changed"):
            list(rows)


class TestWriteHashes:
    @pytest.mark.parametrize("format", FORMATS)
    def test_is_read_back_as_it_was(self, format):
        quality = None if format == "threatexchange" else 77
        rows = [
            ReadHash("pdq", GOOD, quality, 0),
            ReadHash("md5", MD5, None, 0),
            ReadHash("sha256", OTHER, None, 0),
            ReadHash("phash", GOOD[:8], None, 0),
            ReadHash("vpdq", GOOD + OTHER, None, 0),
        ]

        again = read("".join(write_hashes(rows, format)), format)

        assert [(row.signal_type, row.value, row.quality) for row in again] == [
            (row.signal_type, row.value, row.quality) for row in rows
        ]

    def test_writes_line_by_line(self):
        def rows():
            yield ReadHash("pdq", GOOD, 77, 0)
            raise AssertionError("read ahead")

        written = write_hashes(rows(), "jsonl")

        assert GOOD.hex() in next(written)

    def test_refuses_an_unknown_format(self):
        with pytest.raises(HashRefused):
            write_hashes([], "xml")
