"""What a picture or a video may be, and the named refusals of everything else."""

from typing import Final, Literal, get_args

from moderation.media.jailed.answers import MAX_PIXELS

__all__ = [
    "CPU_SECONDS",
    "MAX_BYTES",
    "MAX_FRAMES",
    "MAX_PIXELS",
    "MESSAGES",
    "VIDEO_CPU_SECONDS",
    "VIDEO_KINDS",
    "VIDEO_WALL_SECONDS",
    "WALL_SECONDS",
    "Code",
    "Kind",
    "MediaRefused",
]

MAX_BYTES: Final = 50 * 1024 * 1024
CPU_SECONDS: Final = 5
WALL_SECONDS: Final = 20.0  # a busy machine may take four times as long
VIDEO_CPU_SECONDS: Final = 60
VIDEO_WALL_SECONDS: Final = 240.0
MAX_FRAMES: Final = 600  # of the same file that are looked at

PictureKind = Literal["jpeg", "png", "webp", "gif", "avif", "heic"]
VideoKind = Literal["mp4", "mov", "webm", "mkv"]
Kind = PictureKind | VideoKind
VIDEO_KINDS: Final[tuple[Kind, ...]] = get_args(VideoKind)

Code = Literal[
    "empty",
    "too_large",
    "not_an_image",
    "unsupported",
    "is_video",
    "truncated",
    "too_many_pixels",
    "too_long",
    "too_many_frames",
    "no_frames",
    "encrypted",
    "unsupported_codec",
    "too_slow",
    "out_of_memory",
    "crashed",
]

MESSAGES: Final[dict[Code, str]] = {
    "empty": "The file is empty.",
    "too_large": "The file is larger than 50 MiB.",
    "not_an_image": "The file is not a picture or a video in a format we know.",
    "unsupported": "This format is not accepted."
    " Send JPEG, PNG, WebP, GIF, AVIF, HEIC or a video (MP4, MOV, WebM, MKV).",
    "is_video": "This is a video. Send a picture here.",
    "truncated": "The file is damaged or incomplete.",
    "too_many_pixels": "A picture may have 40 million pixels, a video 9.4 million (4K). This file has more.",
    "too_long": "The file runs for more than 10 minutes.",
    "too_many_frames": "The file has more than 36,000 frames.",
    "no_frames": "There is no picture in this video.",
    "encrypted": "The video is encrypted. Send it without copy protection.",
    "unsupported_codec": "The video is coded in a way that we do not take. Send H.264, H.265, VP8, VP9 or AV1.",
    "too_slow": "The file took too long to decode.",
    "out_of_memory": "The file needs more memory than one file may use.",
    "crashed": "The decoder stopped on this file.",
}


class MediaRefused(Exception):  # noqa: N818 a refusal, not a fault
    """Nothing that we take; `message` is fit to show to a platform's engineer."""

    def __init__(self, code: Code) -> None:
        self.code: Code = code
        self.message = MESSAGES[code]
        super().__init__(code, self.message)

    def __str__(self) -> str:
        return self.message
