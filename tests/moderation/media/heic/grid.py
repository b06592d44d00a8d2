"""A HEIC as phones write it: a grid of tiles, each a picture of its own (ISO 23008-12, 6.6.2.3)."""

import struct


def grid(tile: bytes, columns: int, side: int) -> bytes:
    """A row of `columns` times the one square picture in the HEIC `tile`, made without an encoder."""
    coded = _inside(tile, b"mdat")
    settings = _box(b"hvcC", _inside(tile, b"hvcC"))
    whole = columns + 1  # the number of the item that is made of the others
    names = b"".join(_item(number, b"hvc1") for number in range(1, whole))
    parts = b"".join(struct.pack(">H", number) for number in range(1, whole))
    body = (
        _full(b"hdlr", bytes(4) + b"pict" + bytes(13))
        + _full(b"pitm", struct.pack(">H", whole))
        + _full(b"iinf", struct.pack(">H", whole) + names + _item(whole, b"grid"))
        + _full(b"iref", _box(b"dimg", struct.pack(">HH", whole, columns) + parts))
        + _box(b"iprp", _properties(settings, columns, side))
        + _box(
            b"idat",
            bytes([0, 0, 0, columns - 1]) + struct.pack(">HH", columns * side, side),
        )
    )
    start = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    length = len(start) + 12 + len(body) + len(_places(columns, 0, 0)) + 8
    meta = _full(b"meta", body + _places(columns, length, len(coded)))
    return start + meta + _box(b"mdat", coded)


def _properties(settings: bytes, columns: int, side: int) -> bytes:
    """Property 1: how tiles are coded; 2 and 3: how large a tile is, and the whole."""
    sizes = [
        _full(b"ispe", struct.pack(">II", width, side))
        for width in (side, columns * side)
    ]
    uses = b"".join(
        struct.pack(">HBBB", number, 2, 0x81, 2) for number in range(1, columns + 1)
    )
    whole = struct.pack(">HBB", columns + 1, 1, 3)
    return _box(b"ipco", settings + b"".join(sizes)) + _full(
        b"ipma", struct.pack(">I", columns + 1) + uses + whole
    )


def _places(columns: int, offset: int, length: int) -> bytes:
    """Where each item lies: the tiles in the file, all in one place; the grid in `idat`."""
    tiles = b"".join(
        struct.pack(">HHHHII", number, 0, 0, 1, offset, length)
        for number in range(1, columns + 1)
    )
    whole = struct.pack(">HHHHII", columns + 1, 1, 0, 1, 0, 8)
    count = struct.pack(">BBH", 0x44, 0, columns + 1)
    return _box(b"iloc", b"\1\0\0\0" + count + tiles + whole)


def _item(number: int, kind: bytes) -> bytes:
    return _box(b"infe", b"\2\0\0\0" + struct.pack(">HH", number, 0) + kind + b"\0")


def _full(name: bytes, body: bytes) -> bytes:
    return _box(name, bytes(4) + body)


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def _inside(data: bytes, name: bytes) -> bytes:
    at = data.index(name) - 4
    size = int.from_bytes(data[at : at + 4])
    return data[at + 8 : at + size]
