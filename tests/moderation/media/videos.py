"""Videos and moving pictures made for one test each, from benign pictures that packages ship."""

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from moderation.media import Frame, MediaRefused, frames
from tests.moderation.media.files import saved, shipped

QUICK = {"libx264": {"preset": "ultrafast", "crf": "10"}, "mpeg4": {"qscale": "2"}}
NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png")


def seen(data: bytes, **wishes: float) -> list[Frame]:
    return list(frames(data, **wishes))


def times(data: bytes, **wishes: float) -> list[float]:
    return [round(frame.at_seconds, 2) for frame in frames(data, **wishes)]


def refusal(data: bytes) -> str:
    with pytest.raises(MediaRefused) as caught:
        seen(data)
    return caught.value.code


def which(frame: Frame, images: Sequence[Image.Image]) -> int:
    """The number of the image that a frame shows."""
    pixels = frame.pixels.astype(int)
    return int(np.argmin([np.abs(pixels - np.asarray(i)).mean() for i in images]))


def scenes(count: int, size: tuple[int, int] = (160, 120)) -> list[Image.Image]:
    """So many pictures of one size, no two alike."""
    whole = [small(name, size) for name in NAMES]
    return [
        whole[number % len(whole)].rotate(7 * (number // len(whole)))
        for number in range(count)
    ]


@cache
def small(name: str, size: tuple[int, int]) -> Image.Image:
    return shipped(name).convert("RGB").resize(size, Image.Resampling.BOX)


def video(
    images: Sequence[Image.Image],
    *,
    codec: str = "libx264",
    format: str = "mp4",
    fps: int | Fraction = 1,
    times: Sequence[int] | None = None,
    sound: bool = False,
    colours: int = 2,
    **options: str,
) -> bytes:
    """`times` are milliseconds, one for each image, for a video without a steady rate.

    `colours` is the matrix that the video says to be coded by: 1 for BT.709, 2 for nothing said.
    """
    out = BytesIO()
    with av.open(out, "w", format=format, container_options=options) as container:
        stream = container.add_stream(codec, rate=fps, options=QUICK.get(codec, {}))
        stream.width, stream.height = images[0].size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.colorspace = colours
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        voice = container.add_stream("aac", rate=8000) if sound else None
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_image(image)
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        for packet in _silence(voice) if voice is not None else ():
            container.mux(packet)
    return out.getvalue()


def with_tracks(*tracks: Sequence[Image.Image]) -> bytes:
    """One second for each image, in as many tracks as are given."""
    out = BytesIO()
    with av.open(out, "w", format="mp4") as container:
        streams = [container.add_stream("mpeg4", rate=1) for _ in tracks]
        for stream, images in zip(streams, tracks, strict=True):
            stream.width, stream.height = images[0].size
            stream.pix_fmt = "yuv420p"
        for stream, images in zip(streams, tracks, strict=True):
            for image in images:
                container.mux(stream.encode(av.VideoFrame.from_image(image)))
            container.mux(stream.encode())
    return out.getvalue()


def sound_only() -> bytes:
    out = BytesIO()
    with av.open(out, "w", format="mp4") as container:
        for packet in _silence(container.add_stream("aac", rate=8000)):
            container.mux(packet)
    return out.getvalue()


def _silence(stream: av.AudioStream) -> Iterator[av.Packet]:
    frame = av.AudioFrame.from_ndarray(
        np.zeros((1, 8000), np.float32), format="fltp", layout="mono"
    )
    frame.sample_rate = 8000
    yield from stream.encode(frame)
    yield from stream.encode()


def lying(data: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """An MP4 whose track header says how its frames lie: a, b, c, d of ISO 14496-12."""
    at = data.index(b"tkhd") + 44
    a, b, c, d = (value << 16 for value in matrix)
    return (
        data[:at]
        + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
        + data[at + 36 :]
    )


def animation(images: Sequence[Image.Image], format: str, **options: object) -> bytes:
    first, *others = images
    return saved(first, format, save_all=True, append_images=others, **options)


def gif(count: int, centiseconds: int = 5) -> bytes:
    """So many frames of one pixel, written by hand: Pillow would merge those that are alike."""
    screen = b"GIF89a\1\0\1\0\x80\0\0" + bytes(3) + b"\xff" * 3
    control = b"\x21\xf9\4\0" + struct.pack("<H", centiseconds) + b"\0\0"
    frame = control + b",\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    return screen + frame * count + b";"


def external(path: Path) -> bytes:
    """A MOV whose samples are said to lie in another one: in `path`, at the same places."""
    data = path.read_bytes()
    boxes = dict(_boxes(data))
    return _box(b"ftyp", boxes[b"ftyp"]) + _box(
        b"moov", _pointing(boxes[b"moov"], path)
    )


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def _box(name: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4) + name + body


def _pointing(body: bytes, path: Path) -> bytes:
    """The same boxes, but the list of files says `path`."""
    out = b""
    for name, inner in _boxes(body):
        if name in (b"trak", b"mdia", b"minf", b"dinf"):
            inner = _pointing(inner, path)
        if name == b"dref":
            inner = inner[:8] + _box(b"alis", _alias(path))
        out += _box(name, inner)
    return out


def _alias(path: Path) -> bytes:
    """As a Macintosh wrote it: a record of 150 bytes, then the whole path with tag 2."""
    name = path.name.encode()
    whole = f"volume:{str(path).strip('/').replace('/', ':')}".encode()
    record = bytes(4) + bytes(10) + bytes([6]) + b"volume".ljust(27, b"\0") + bytes(12)
    record += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16)
    record += struct.pack(">HH", 1, 1) + bytes(16)
    padded = whole + bytes(len(whole) % 2)
    return record + struct.pack(">HH", 2, len(whole)) + padded + b"\xff\xff\0\0"
