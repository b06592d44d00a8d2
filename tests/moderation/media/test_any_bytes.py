"""Whatever the bytes: a picture, some frames, or a refusal that has a name."""

from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.media import MediaRefused, decode, frames
from tests.moderation.media.files import HEIC, saved, shipped
from tests.moderation.media.videos import animation, scenes, video

PICTURES = [
    (HEIC / "turn_6.heic").read_bytes(),
    *(
        saved(shipped("chelsea.png").crop((0, 0, 99, 70)), format)
        for format in ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
    ),
]
FILMS = [
    video(scenes(3, (64, 48)), codec="mpeg4"),
    video(scenes(3, (64, 48)), movflags="frag_keyframe+empty_moov"),
    video(scenes(3, (64, 48)), codec="libvpx", format="webm"),
    *(animation(scenes(3, (32, 24)), format) for format in ("GIF", "WEBP", "AVIF")),
]
FLIPS = st.lists(
    st.tuples(st.floats(0, 0.999), st.integers(1, 255)),
    max_size=8,
)
KEPT = st.floats(0.01, 1)
NAMED = {
    *("not_an_image", "unsupported", "is_video", "truncated", "too_many_pixels"),
    *("too_long", "too_many_frames", "no_frames", "unsupported_codec"),
    *("too_slow", "out_of_memory"),
}


def damaged(file: bytes, flips: list[tuple[float, int]], kept: float) -> bytes:
    data = bytearray(file)
    for place, change in flips:
        data[int(place * len(data))] ^= change
    return bytes(data[: int(kept * len(data))])


def outcome_of_picture(data: bytes) -> str:
    try:
        decode(data)
    except MediaRefused as refused:
        return refused.code
    return "picture"


def outcome_of_film(data: bytes) -> str:
    try:
        count = sum(1 for _ in frames(data, limit=5))
    except MediaRefused as refused:
        return refused.code
    return "frames" if 1 <= count <= 5 else "none"


@settings(max_examples=40, deadline=None)
@given(file=st.sampled_from(PICTURES), flips=FLIPS, kept=KEPT)
def test_of_a_picture(file: bytes, flips: list[tuple[float, int]], kept: float) -> None:
    assert outcome_of_picture(damaged(file, flips, kept)) in {"picture", *NAMED}


@settings(max_examples=40, deadline=None)
@given(file=st.sampled_from(FILMS), flips=FLIPS, kept=KEPT)
def test_of_a_film(file: bytes, flips: list[tuple[float, int]], kept: float) -> None:
    assert outcome_of_film(damaged(file, flips, kept)) in {"frames", *NAMED}
