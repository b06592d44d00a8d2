"""Which format some bytes begin like: told by content, never by a name; compares bytes, parses nothing."""

from typing import Final

from moderation.media.limits import MAX_BYTES, Kind, MediaRefused

BEGINNINGS: Final[dict[bytes, Kind]] = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}
# ISO 14496-12 files say in a list of four letters what they are; the first name that we know counts.
BRANDS: Final[dict[bytes, Kind]] = {
    **dict.fromkeys((b"avif", b"avis"), "avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis"), "heic"),
    b"qt  ": "mov",
    **dict.fromkeys((b"isom", *(b"iso%d" % n for n in range(2, 10))), "mp4"),
    **dict.fromkeys((b"mp41", b"mp42", b"avc1", b"M4V ", b"dash", b"MSNV"), "mp4"),
    **dict.fromkeys((b"3gp4", b"3gp5", b"3gp6", b"3gp7"), "mp4"),
}
# QuickTime from before that list existed begins with one of its boxes.
OLD_QUICKTIME: Final = (b"moov", b"mdat", b"wide", b"free", b"skip")
MATROSKA: Final = b"\x1aE\xdf\xa3"
# Recognised in order to say so: BMP, TIFF (both ways round), EPS (plain and wrapped), PDF, PSD, icons, JPEG XL (bare
# and boxed), JPEG 2000, Flash video, Ogg, MPEG programme streams, Windows media.
OTHER_BEGINNINGS: Final = (
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"%!PS",
    b"\xc5\xd0\xd3\xc6",
    b"%PDF",
    b"8BPS",
    b"\0\0\1\0",
    b"\xff\x0a",
    b"\0\0\0\x0cJXL ",
    b"\0\0\0\x0cjP  ",
    b"FLV\1",
    b"OggS",
    b"\0\0\1\xba",
    b"0&\xb2u",
)


def recognise(data: bytes) -> Kind:
    """The accepted format that `data` begins like.

    :raises MediaRefused: `empty`, `too_large`, `unsupported` or `not_an_image`.
    """
    if not data:
        raise MediaRefused("empty")
    if len(data) > MAX_BYTES:
        raise MediaRefused("too_large")
    for beginning, kind in BEGINNINGS.items():
        if data.startswith(beginning):
            return kind
    kind_of_container = _container(data)
    if kind_of_container is not None:
        return kind_of_container
    raise MediaRefused("unsupported" if _looks_like_media(data) else "not_an_image")


def _container(data: bytes) -> Kind | None:
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return next((BRANDS[name] for name in brands(data) if name in BRANDS), None)
    if data[4:8] in OLD_QUICKTIME:
        return "mov"
    if data.startswith(MATROSKA):
        beginning = data[:64]
        return "webm" if b"webm" in beginning else _matroska(beginning)
    return None


def _matroska(beginning: bytes) -> Kind | None:
    return "mkv" if b"matroska" in beginning else None


def brands(data: bytes) -> list[bytes]:
    """The major brand of an ISO file, then those that it is compatible with."""
    end = min(int.from_bytes(data[:4]), 256)
    return [data[8:12]] + [data[at : at + 4] for at in range(16, end, 4)]


def may_move(data: bytes, kind: Kind) -> bool:
    """False where a picture of this kind says at its beginning, or by its kind, that it is a still."""
    match kind:
        case "gif":
            return True
        case "webp":
            return data[12:16] == b"VP8X" and bool(int.from_bytes(data[20:21]) & 2)
        case "avif":
            return b"avis" in brands(data)
        case "png":
            return b"acTL" in data
        case _:
            return False


def _looks_like_media(data: bytes) -> bool:
    is_container = data[4:8] == b"ftyp" or data.startswith((b"RIFF", MATROSKA))
    return (
        data.startswith(OTHER_BEGINNINGS)
        or is_container
        or b"<svg" in data[:1024].lower()
    )
