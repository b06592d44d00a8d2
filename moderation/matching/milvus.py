"""The engine of a bank that one machine cannot hold: a Milvus collection, searched exactly (`BIN_FLAT`, Hamming).

It needs pymilvus (requirements-milvus.in); nothing else imports this module. One process at a time may write a
collection; any number may read. The rows are readable to whoever reaches the server: keep it on a private network, with
TLS and a token, on an encrypted disk.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Self

import numpy as np
from pymilvus import DataType, MilvusClient
from pymilvus.exceptions import MilvusException

from moderation.matching.checksum import (
    MASK,
    NO_KEY,
    Ids,
    checked_key,
    total_checksum,
)
from moderation.matching.engine import (
    HASH_BITS,
    EngineUnavailable,
    Found,
    Rows,
    bytes_of,
    checked_hash,
    checked_threshold,
    in_order,
    joined,
    words_of,
)
from moderation.matching.numpy_engine import same_rows

# The row that says what the collection holds, and is never an answer.
STATE_ID: Final = -(2**63) + 1  # the lowest that the server can read
MOST_ANSWERS: Final = 16_384  # the server's own limit
USUAL_ANSWERS: Final = 1_024
BATCH: Final = 10_000
TIMEOUT_SECONDS: Final = 10
LOAD_SECONDS: Final = 600


class State(NamedTuple):
    """What the rows of the collection add up to, and the last change of the bank that they contain."""

    number: int = 0
    row_count: int = 0
    checksum: int = 0

    def as_row(self) -> dict[str, Any]:
        # As text: JSON numbers lose bits beyond 2**53.
        values = {name: str(value) for name, value in self._asdict().items()}
        return {"id": STATE_ID, "hash": bytes(HASH_BITS // 8), **values}


class MilvusEngine:
    """An `Engine`, and a `Base`, in a collection of a Milvus server; every method raises `EngineUnavailable`."""

    def __init__(self, client: MilvusClient, name: str, key: bytes = NO_KEY) -> None:
        self._client = client
        self._name = name
        self._key = checked_key(key)
        self._writing = threading.Lock()
        with _reported():
            if not client.has_collection(name, timeout=TIMEOUT_SECONDS):
                _create(client, name)
            client.load_collection(name, timeout=LOAD_SECONDS)
        self._state = State()
        self._seen_until = 0
        self.refresh()

    @classmethod
    def connect(
        cls,
        uri: str,
        name: str,
        key: bytes = NO_KEY,
        *,
        timeout: float = TIMEOUT_SECONDS,
        **options: str,
    ) -> Self:
        """`options` are those of MilvusClient: token, server_pem_path, server_name and others."""
        with _reported():
            client = MilvusClient(uri=uri, timeout=timeout, **options)
        return cls(client, name, key)

    @property
    def number(self) -> int:
        return self._state.number

    @property
    def checksum(self) -> int:
        return self._state.checksum

    def __len__(self) -> int:
        return self._state.row_count

    def refresh(self) -> None:
        """Read anew what the collection contains; every later answer contains at least that."""
        with _reported(), self._writing:
            self._seen_until = self._server_time()
            rows = self._query(f"id == {STATE_ID}", list(State._fields))
            if rows:
                self._state = State(*(int(rows[0][name]) for name in State._fields))

    def advance(self, number: int) -> None:
        """Record that the collection contains the changes of the bank up to this one."""
        with _reported(), self._writing:
            self._put([], self._state._replace(number=number))

    def add(self, rows: Iterable[tuple[int, bytes]]) -> None:
        latest = {id: checked_hash(hash) for id, hash in rows}
        ids = np.fromiter(latest, np.int64, len(latest))
        self.add_rows(Rows(ids, words_of(latest.values())))

    def add_rows(self, rows: Rows) -> None:
        """`add` of many rows at once, each under an id of its own."""
        for start in range(0, len(rows.ids), BATCH):
            part = slice(start, start + BATCH)
            with _reported(), self._writing:
                self._add(Rows(rows.ids[part], rows.words[part]))

    def withdraw(self, ids: Iterable[int]) -> None:
        unwanted = np.fromiter(ids, np.int64)
        for start in range(0, len(unwanted), BATCH):
            with _reported(), self._writing:
                self._withdraw(unwanted[start : start + BATCH])

    def match(self, hashes: Sequence[bytes], threshold: int) -> list[Found]:
        checked_threshold(threshold)
        questions = [checked_hash(hash) for hash in hashes]
        if not questions:
            return []
        with _reported():
            answers = self._search(questions, threshold, USUAL_ANSWERS, "")
            return in_order(
                Found(number, id, distance)
                for number, answer in enumerate(answers)
                for id, distance in self._completed(
                    answer, USUAL_ANSWERS, questions[number], threshold, ""
                )
                if id != STATE_ID
            )

    def fetch(self, ids: Ids) -> Rows:
        with _reported():
            return self._fetch(ids)

    def rows(self) -> Iterator[Rows]:
        """
        :raises EngineUnavailable: after the last part, if rows came or went meanwhile.
        """
        expected, count = len(self), 0
        for part in self._all_rows():
            count += part.ids.size
            yield part
        if count != expected:
            raise EngineUnavailable("The collection changed while it was read.")

    def recount(self) -> None:
        """Record what the rows do add up to, after a writer was killed between a change and its record."""
        parts = list(self._all_rows())
        with _reported(), self._writing:
            total = sum(total_checksum(*part, self._key) for part in parts) & MASK
            count = sum(part.ids.size for part in parts)
            self._put([], self._state._replace(row_count=count, checksum=total))

    def _all_rows(self) -> Iterator[Rows]:
        last = STATE_ID
        while page := self._page_after(last):
            part = _rows(page)
            last = int(part.ids.max())
            yield part

    def _page_after(self, id: int) -> list[dict[str, Any]]:
        """The server gives the lowest ids first."""
        with _reported():
            return self._query(f"id > {id}", ["id", "hash"], limit=BATCH)

    def _add(self, rows: Rows) -> None:
        if (rows.ids <= STATE_ID).any():
            raise ValueError(f"The ids of rows are more than {STATE_ID}.")
        held = self._fetch(rows.ids)
        is_new = ~same_rows(rows, held)
        if is_new.any():
            new = Rows(rows.ids[is_new], rows.words[is_new])
            is_changed = np.isin(held.ids, new.ids)
            old = Rows(held.ids[is_changed], held.words[is_changed])
            pairs = zip(new.ids.tolist(), bytes_of(new.words), strict=True)
            data = [{"id": id, "hash": hash} for id, hash in pairs]
            self._put(data, self._after(old, new))

    def _withdraw(self, ids: Ids) -> None:
        held = self._fetch(ids)
        if held.ids.size:
            self._client.delete(
                self._name, ids=held.ids.tolist(), timeout=TIMEOUT_SECONDS
            )
            self._put([], self._after(held, joined([], HASH_BITS // 64)))

    def _after(self, gone: Rows, new: Rows) -> State:
        checksum = (
            self._state.checksum
            + total_checksum(*new, self._key)
            - total_checksum(*gone, self._key)
        )
        return self._state._replace(
            row_count=self._state.row_count + new.ids.size - gone.ids.size,
            checksum=checksum & MASK,
        )

    def _put(self, data: list[dict[str, Any]], state: State) -> None:
        """Rows and what they add up to, in one message."""
        self._client.upsert(
            self._name, [*data, state.as_row()], timeout=TIMEOUT_SECONDS
        )
        self._state = state
        self._seen_until = self._server_time()

    def _server_time(self) -> int:
        """By the server's own clock, on which all changes until now are earlier, whoever made them.

        (pymilvus's "Session" takes that from the answers to changes, and those to deletes of a 2.3 server lack it.)
        """
        handler = self._client._get_connection()
        return int(handler.alloc_timestamp(timeout=TIMEOUT_SECONDS))

    def _until_now(self) -> dict[str, Any]:
        """Let the server wait until it can see all changes up to the last that this process knows of."""
        return {
            "consistency_level": "Customized",
            "guarantee_timestamp": self._seen_until,
            "timeout": TIMEOUT_SECONDS,
        }

    def _fetch(self, ids: Ids) -> Rows:
        wanted = np.unique(ids[ids > STATE_ID]).tolist()
        pages = (
            self._query(f"id in {wanted[start : start + BATCH]}", ["id", "hash"])
            for start in range(0, len(wanted), BATCH)
        )
        return joined([_rows(page) for page in pages if page], HASH_BITS // 64)

    def _query(
        self, filter: str, fields: list[str], **options: int
    ) -> list[dict[str, Any]]:
        return list(
            self._client.query(
                self._name,
                filter=filter,
                output_fields=fields,
                **self._until_now(),
                **options,
            )
        )

    def _search(
        self, questions: list[bytes], threshold: int, limit: int, filter: str
    ) -> list[list[tuple[int, int]]]:
        """For each question the ids and distances of no more than `limit` rows, the nearest."""
        # The radius is exclusive: 32 finds what lies 31 bits away.
        range = {"radius": threshold + 1, "range_filter": 0}
        answers = self._client.search(
            self._name,
            data=questions,
            anns_field="hash",
            search_params={"metric_type": "HAMMING", "params": range},
            limit=limit,
            filter=filter,
            **self._until_now(),
        )
        return [
            [(int(row["id"]), int(row["distance"])) for row in answer]
            for answer in answers
        ]

    def _completed(
        self,
        answer: list[tuple[int, int]],
        limit: int,
        question: bytes,
        threshold: int,
        filter: str,
    ) -> Iterator[tuple[int, int]]:
        """The whole answer, where the server's was as long as it may be: asked again by halves of the ids."""
        if len(answer) < limit:
            yield from answer
            return
        filters = [filter]
        if limit == MOST_ANSWERS:
            middle = sorted(answer)[limit // 2][0]
            joint = f"{filter} and " if filter else ""
            filters = [f"{joint}id < {middle}", f"{joint}id >= {middle}"]
        for part in filters:
            (more,) = self._search([question], threshold, MOST_ANSWERS, part)
            yield from self._completed(more, MOST_ANSWERS, question, threshold, part)


def _create(client: MilvusClient, name: str) -> None:
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("hash", DataType.BINARY_VECTOR, dim=HASH_BITS)
    index = client.prepare_index_params()
    index.add_index("hash", index_type="BIN_FLAT", metric_type="HAMMING")
    client.create_collection(
        name,
        schema=schema,
        index_params=index,
        consistency_level="Strong",
        timeout=TIMEOUT_SECONDS,
    )


def _rows(page: list[dict[str, Any]]) -> Rows:
    ids = np.array([row["id"] for row in page], np.int64)
    return Rows(ids, words_of(_as_bytes(row["hash"]) for row in page))


def _as_bytes(value: Any) -> bytes:
    """A vector as the server gives it: bare, or the only one of a list."""
    return bytes(value if isinstance(value, bytes) else value[0])


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except MilvusException as error:
        raise EngineUnavailable(f"Milvus refused or failed: {error.code}.") from error
