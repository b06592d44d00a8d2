"""PDQ, the 256-bit perceptual hash that platforms exchange.

After Meta's reference (ThreatExchange, `pdq/`, BSD): luma, a box filter applied twice, 64x64 samples, the 16x16 low
frequencies of their DCT, one bit for each that is above the median.

Filter and sampling are linear, so the samples are `A @ luma @ B.T` with two banded matrices that depend on height and
width alone. No full-size pass is made, and the hash of a photograph is `pdqhash`'s, bit for bit. (In a perfect pattern,
such as a chessboard, most frequencies are equal but for rounding, and there the two differ.)
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Band = tuple[int, NDArray[np.float32]]

RECIPE: Final = "pdq-1"  # stored beside each hash: what was done to get it
HASH_BYTES: Final = 32
THRESHOLD: Final = 31  # bits; Meta's recommendation
SAMPLES: Final = 64
FREQUENCIES: Final = 16
MIN_QUALITY: Final = (
    50  # below it a hash would match unrelated pictures; Meta's recommendation
)
MIN_SIDE: Final = 5  # below it the reference answers quality 0 and no bit set
LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
PLAUSIBLE_BIT_COUNTS: Final = range(112, 145)


@dataclass(frozen=True)
class Pdq:
    """A hash, bit 255 first as in the reference's hex, and how much there was to hash."""

    hash: bytes = field(repr=False)
    quality: int


def pdq(pixels: NDArray[np.uint8]) -> Pdq:
    """Hash RGB pixels or luma, not resized: each resize costs bits."""
    if min(pixels.shape[:2]) < MIN_SIDE:
        return Pdq(bytes(HASH_BYTES), 0)
    samples = _samples(pixels)
    return Pdq(_bits(_frequencies(samples)), _quality(samples))


def pdq_dihedral(pixels: NDArray[np.uint8]) -> tuple[bytes, ...]:
    """The hashes of the picture as it is, turned by 90, 180 and 270 degrees, and mirrored four ways."""
    return pdq_forms(pixels)[1]


def pdq_forms(pixels: NDArray[np.uint8]) -> tuple[Pdq, tuple[bytes, ...]]:
    """The picture's own hash with its quality, and all eight of `pdq_dihedral`, from one pass over the pixels."""
    if min(pixels.shape[:2]) < MIN_SIDE:
        return Pdq(bytes(HASH_BYTES), 0), (bytes(HASH_BYTES),) * len(SYMMETRIES)
    samples = _samples(pixels)
    spectrum = _frequencies(samples)
    forms = tuple(_bits(symmetry(spectrum)) for symmetry in SYMMETRIES)
    return Pdq(forms[0], _quality(samples)), forms


def distance(a: bytes, b: bytes) -> int:
    """In how many bits two hashes differ."""
    if len(a) != len(b):
        raise ValueError("Hashes of different lengths have no distance.")
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def matches(a: bytes, b: bytes, threshold: int = THRESHOLD) -> bool:
    """Do two hashes differ in `threshold` bits at most?"""
    return distance(a, b) <= threshold


def plausible(value: bytes) -> bool:
    """Could a picture have this hash? A median split sets about half of the bits (T-19)."""
    return (
        len(value) == HASH_BYTES
        and int.from_bytes(value).bit_count() in PLAUSIBLE_BIT_COUNTS
    )


def _samples(pixels: NDArray[np.uint8]) -> Floats:
    _check(pixels)
    luma = _row_samples(pixels)
    samples = np.empty((SAMPLES, SAMPLES))
    for sample, (start, weights) in enumerate(_bands(pixels.shape[1])):
        part = luma[:, start : start + len(weights)]
        _weighted("k,sk->s", weights, part, samples[:, sample])
    return samples


def _check(pixels: NDArray[np.uint8]) -> None:
    is_rgb = pixels.ndim == 3 and pixels.shape[2] == 3
    if pixels.dtype != np.uint8 or not (is_rgb or pixels.ndim == 2):
        raise ValueError("PDQ is made from RGB pixels or luma of 8 bits.")


def _row_samples(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Luma, filtered and sampled along the height: (64, width)."""
    sums = "k,kw->w" if pixels.ndim == 2 else "k,kwc->wc"
    rows = np.empty((SAMPLES, *pixels.shape[1:]), np.float32)
    for sample, (start, weights) in enumerate(_bands(len(pixels))):
        stripe = pixels[start : start + len(weights)]
        _weighted(sums, weights, stripe, rows[sample])
    if pixels.ndim == 2:
        return rows
    luma = np.empty(rows.shape[:2], np.float32)
    _weighted("c,swc->sw", LUMA, rows, luma)
    return luma


def _weighted(
    sums: str,
    weights: NDArray[np.float32],
    values: NDArray[np.uint8] | NDArray[np.float32],
    out: NDArray[np.float32] | Floats,
) -> None:
    # Not `@`: that wakes a second BLAS thread, which then spins longer than the work takes.
    np.einsum(sums, weights, values, out=out, dtype=out.dtype, casting="same_kind")


@lru_cache(maxsize=64)
def _bands(length: int) -> tuple[Band, ...]:
    """For each sample position: where the twice-applied box filter begins, and its weights."""
    window = -(-length // (2 * SAMPLES))
    right = (window + 2) // 2 - 1
    left = window - 1 - right

    def box(middle: int) -> tuple[int, int]:
        return max(0, middle - left), min(length, middle + right + 1)

    inside = np.convolve(*np.ones((2, window))) / window**2

    def band(sample: int) -> Band:
        outer = box((2 * sample + 1) * length // (2 * SAMPLES))
        start, stop = box(outer[0])[0], box(outer[1] - 1)[1]
        if stop - start == len(inside):
            return start, inside.astype(np.float32)
        weights = np.zeros(stop - start)
        for low, high in map(box, range(*outer)):
            weights[low - start : high - start] += (
                1 / (high - low) / (outer[1] - outer[0])
            )
        return start, weights.astype(np.float32)

    return tuple(band(sample) for sample in range(SAMPLES))


def _cosines() -> Floats:
    frequency = np.arange(1, FREQUENCIES + 1)[:, None]
    position = 2 * np.arange(SAMPLES)[None, :] + 1
    angle = np.pi / (2 * SAMPLES) * frequency * position
    cosines: Floats = np.sqrt(2 / SAMPLES) * np.cos(angle)
    return cosines


DCT: Final = _cosines()


def _frequencies(samples: Floats) -> Floats:
    spectrum: Floats = DCT @ samples @ DCT.T
    return spectrum


def _bits(spectrum: Floats) -> bytes:
    values = spectrum.ravel()
    middle = (
        values.size // 2 - 1
    )  # the reference's median is the lower of the middle two
    above = values > np.partition(values, middle)[middle]
    return np.packbits(above[::-1]).tobytes()


def _quality(samples: Floats) -> int:
    """The reference's measure: the sum of the steps between neighbours, in whole percents."""
    steps = (np.diff(samples, axis=axis) * 100 / 255 for axis in (0, 1))
    total = sum(int(np.abs(np.trunc(step)).sum()) for step in steps)
    return min(100, total // 90)


# Mirroring changes the sign of the odd frequencies; turning is transposing and mirroring.
SIGNS: Final = np.where(np.arange(1, FREQUENCIES + 1) % 2, -1.0, 1.0)
FLIP_ROWS: Final = SIGNS[:, None]
FLIP_COLUMNS: Final = SIGNS[None, :]

SYMMETRIES: Final[tuple[Callable[[Floats], Floats], ...]] = (
    lambda spectrum: spectrum,
    lambda spectrum: spectrum.T * FLIP_ROWS,
    lambda spectrum: spectrum * FLIP_ROWS * FLIP_COLUMNS,
    lambda spectrum: spectrum.T * FLIP_COLUMNS,
    lambda spectrum: spectrum * FLIP_ROWS,
    lambda spectrum: spectrum * FLIP_COLUMNS,
    lambda spectrum: spectrum.T,
    lambda spectrum: spectrum.T * FLIP_ROWS * FLIP_COLUMNS,
)
