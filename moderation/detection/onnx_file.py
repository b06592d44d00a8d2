"""What an ONNX file asks for besides arithmetic, read without running it (T-45).

A model may name other files to load weights from, and operators that only a foreign library has. Neither is ever
needed by a model that we pin, so a file that asks for either is refused before onnxruntime sees it.
"""

from collections.abc import Iterator
from typing import Final

STANDARD_DOMAINS: Final = (b"", b"ai.onnx", b"ai.onnx.ml")

# Of each message in onnx.proto, the fields that lead to nodes, tensors and operator sets.
PATHS: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 8: "operators", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 9: "operators"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse"}
    | {23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "operators": {},
    "tensor": {},
}
DOMAIN: Final = {"operators": 1, "node": 7}  # in which field each names its domain
EXTERNAL_DATA, DATA_LOCATION, EXTERNAL = 13, 14, 1

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class ForbiddenContent(Exception):  # noqa: N818 a refusal, not a fault
    """The model wants more than its own bytes and the standard operators."""


def check(data: bytes) -> None:
    """Walk the whole model.

    :raises ForbiddenContent: for external data or operators of another domain.
    :raises ValueError: if this is no protocol buffer.
    """
    waiting = [("model", memoryview(data))]
    while waiting:
        message, content = waiting.pop()
        for field, value in fields(content):
            check_field(message, field, value)
            if isinstance(value, memoryview) and field in PATHS[message]:
                waiting.append((PATHS[message][field], value))


def check_field(message: str, field: int, value: int | memoryview) -> None:
    if message == "tensor" and (
        field == EXTERNAL_DATA or (field == DATA_LOCATION and value == EXTERNAL)
    ):
        raise ForbiddenContent("The model keeps weights in another file.")
    if DOMAIN.get(message) == field and bytes_of(value) not in STANDARD_DOMAINS:
        raise ForbiddenContent("The model uses operators that are not standard.")


def bytes_of(value: int | memoryview) -> bytes:
    if isinstance(value, int):
        raise ValueError("A number stands where a name should.")
    return bytes(value)


def fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of one protocol buffer message; strings and messages are not copied."""
    at = 0
    while at < len(content):
        key, at = varint(content, at)
        field, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = varint(content, at)
            yield field, value
            continue
        if kind == BYTES:
            length, at = varint(content, at)
        elif kind in (FIXED32, FIXED64):
            length = 4 if kind == FIXED32 else 8
        else:
            raise ValueError("This is no protocol buffer.")
        if at + length > len(content):
            raise ValueError("The file ends in the middle of a field.")
        yield field, content[at : at + length]
        at += length


def varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise ValueError("The file ends in the middle of a number.")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("A number is too long.")
