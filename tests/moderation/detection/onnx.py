"""ONNX files made by hand, field by field (onnx.proto), so that they can be what no exporter would write."""


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes | str) -> bytes:
    body = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def tensor_type() -> bytes:
    return message(2, message(1, number(1, 1)))  # of floats, in any shape


def node(operator: str, *, domain: str = "", attributes: bytes = b"") -> bytes:
    return message(
        1,
        message(1, "input"),
        message(2, "output"),
        message(4, operator),
        attributes,
        message(7, domain),
    )


def weights(*, place: bytes = b"") -> bytes:
    return number(1, 1) + number(2, 1) + message(8, "weights") + place


OUTSIDE = message(13, message(1, "location"), message(2, "../../key")) + number(14, 1)


def model(*content: bytes, domain: str = "") -> bytes:
    graph = message(
        7,
        *(content or (node("Identity"),)),
        message(2, "graph"),
        message(11, message(1, "input"), tensor_type()),
        message(12, message(1, "output"), tensor_type()),
    )
    operators = message(8, message(1, domain), number(2, 17))
    return number(1, 9) + graph + operators
