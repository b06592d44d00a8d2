"""The frames of a video: MP4, MOV, WebM, Matroska (in the sandbox).

One a second, and exactly those that vpdq takes: of the frames as decoded, every n-th from the first, with n the whole
part of the frames a second; none of them scaled. Where a file's rate does not fit its own times, the times decide.
"""

from __future__ import annotations  # PyAV's classes are generic in its annotations only

import logging
import struct
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice
from typing import Final, NamedTuple, cast

import av
from av.container import InputContainer
from av.sidedata.sidedata import SideDataContainer
from av.stream import Disposition
from av.subtitles import codeccontext as subtitle_context
from av.subtitles import stream as subtitle_stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from moderation.media.jailed.answers import (
    DAMAGED,
    DONE,
    FRAME,
    LOCKED,
    MAX_SECONDS,
    MAX_VIDEO_PIXELS,
    MAX_WALKED,
    MIRRORED,
    NO_FRAMES,
    SIDEWAYS,
    TOO_LONG,
    TOO_MANY_FRAMES,
    TOO_MANY_PIXELS,
    UNKNOWN_CODEC,
    UNTIL_DONE,
    UPSIDE_DOWN,
    WISH,
    Stop,
    to_the_end,
)

MATROSKA: Final = b"\x1aE\xdf\xa3"
CODECS: Final = ("h264", "hevc", "vp8", "vp9", "libdav1d", "mpeg4", "h263")
OPTIONS: Final = {
    "codec_whitelist": ",".join(CODECS),
    "protocol_whitelist": "none",  # no name in a file leads to another file
    "enable_drefs": "0",
    "max_streams": "64",
}
MAX_TRACKS: Final = 4
MATRIX: Final = struct.Struct("=9i")

# PyAV would import these when a file first needs them: too late, in here.
LOADED: Final = (logging, subtitle_context, subtitle_stream)
av.logging.set_level(None)


class Taken(NamedTuple):
    """A decoded frame and the second at which it is on show."""

    frame: VideoFrame
    at: float


def answer(data: bytes, wish: bytes) -> tuple[int, Iterable[bytes | memoryview]]:
    _, limit, every = WISH.unpack_from(wish)
    return UNTIL_DONE, to_the_end(frames(data, every, limit))


def frames(data: bytes, every: float, limit: int) -> Iterator[bytes | memoryview]:
    """Header and rows of the first `limit` frames, one every `every` seconds.

    Of several tracks each gives its share of them: players differ in which one they show.

    :raises Stop: with what is wrong.
    """
    with opened(data) as container:
        count = min(len(tracks(container)), MAX_TRACKS)
    if count == 0:
        raise Stop(NO_FRAMES)
    for number in range(min(count, limit)):
        share = limit // count + (number < limit % count)
        with opened(data) as container:
            stream = tracks(container)[number]
            yield from frames_of(container, stream, every, share)


def frames_of(
    container: InputContainer, stream: VideoStream, every: float, limit: int
) -> Iterator[bytes | memoryview]:
    prepare(container, stream)
    rate = rate_of(stream)
    shown = timed(all_decoded(container, stream), rate)
    for frame, at in islice(chosen(shown, rate, every), limit):
        rgb = in_colour(frame)
        yield FRAME.pack(DONE, turn_of(frame), rgb.width, rgb.height, at)
        yield from rows(rgb)


def opened(data: bytes) -> InputContainer:
    demuxer = "matroska" if data.startswith(MATROSKA) else "mov"
    return av.open(
        BytesIO(data), "r", format=demuxer, options=OPTIONS, io_open=no_other_file
    )


def no_other_file(*_: object) -> None:
    raise PermissionError


def tracks(container: InputContainer) -> list[VideoStream]:
    return [stream for stream in container.streams.video if not is_cover(stream)]


def prepare(container: InputContainer, stream: VideoStream) -> None:
    """Make sure that we may decode it, and by how much of the machine."""
    context = stream.codec_context
    if name_of(context) not in CODECS:
        raise Stop(UNKNOWN_CODEC)
    if (container.duration or 0) / av.time_base > MAX_SECONDS + 1:
        raise Stop(TOO_LONG)
    check_size(context.width, context.height)
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_VIDEO_PIXELS)}  # also if they grow later


def name_of(context: VideoCodecContext | None) -> str:
    """Of the decoder: PyAV says None, whatever its annotations say, where it knows none."""
    return "" if context is None else context.codec.name


def is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def check_size(width: int, height: int) -> None:
    if width * height > MAX_VIDEO_PIXELS:
        raise Stop(TOO_MANY_PIXELS)


def all_decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """What a player would show: it leaves out what it can't decode, and ends where the file breaks off."""
    count, is_damaged = 0, False
    for packet in unbroken(container.demux(stream)):
        if packet.has_sidedata("encryption_info"):
            raise Stop(LOCKED)
        try:
            decoded = stream.codec_context.decode(packet)
        except MemoryError:
            raise
        except av.FFmpegError:
            is_damaged = True
            continue
        for frame in decoded:
            count += 1
            if count > MAX_WALKED:
                raise Stop(TOO_MANY_FRAMES)
            yield frame
    if count == 0:
        raise Stop(DAMAGED if is_damaged else NO_FRAMES)


def unbroken(
    packets: Iterator[av.Packet[VideoStream]],
) -> Iterator[av.Packet[VideoStream]]:
    try:
        yield from packets
    except MemoryError:
        raise
    except av.FFmpegError:
        return


def timed(frames: Iterable[VideoFrame], rate: float) -> Iterator[Taken]:
    """With seconds from the first frame; where a file has no times, by its rate."""
    start: float | None = None
    for number, frame in enumerate(frames):
        at = number / rate if frame.pts is None else frame.time
        start = at if start is None else start
        if at - start > MAX_SECONDS + 1:
            raise Stop(TOO_LONG)
        yield Taken(frame, max(0.0, at - start))


def rate_of(stream: VideoStream) -> float:
    return float(stream.average_rate or stream.base_rate or 1)


def chosen(frames: Iterable[Taken], rate: float, every: float) -> Iterator[Taken]:
    """Every n-th frame, but never two within half of `every`, nor none for twice as long."""
    step = int(every * rate) or 1
    last = 0.0
    for number, taken in enumerate(frames):
        apart = taken.at - last
        is_too_early = number > 0 and 0 <= apart < every / 2
        if (number % step == 0 and not is_too_early) or apart >= 2 * every:
            last = taken.at
            yield taken


def turn_of(frame: VideoFrame) -> int:
    """How the frame lies, from the matrix that a phone leaves: in quarter turns and mirrorings."""
    notes = cast(SideDataContainer, frame.side_data)
    if "DISPLAYMATRIX" not in notes:
        return 0
    a, b, _, c, d, *_ = MATRIX.unpack(bytes(notes["DISPLAYMATRIX"])[: MATRIX.size])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return SIDEWAYS | (UPSIDE_DOWN if b < 0 else 0) | (MIRRORED if c < 0 else 0)
    return (UPSIDE_DOWN if d < 0 else 0) | (MIRRORED if a < 0 else 0)


def in_colour(frame: VideoFrame) -> VideoFrame:
    """As RGB by the matrix of BT.601 whatever the file says, as vpdq does: so brightness stays what was stored."""
    check_size(frame.width, frame.height)
    return frame.reformat(format="rgb24", src_colorspace=Colorspace.ITU601, threads=1)


def rows(rgb: VideoFrame) -> Iterator[memoryview]:
    plane = rgb.planes[0]
    pixels, length = memoryview(plane), 3 * rgb.width
    if plane.line_size == length:
        yield pixels[: length * rgb.height]
        return
    for top in range(rgb.height):
        start = top * plane.line_size
        yield pixels[start : start + length]
