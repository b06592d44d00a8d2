"""Every engine that must keep the contract."""

from pathlib import Path

import pytest

from moderation.matching import Engine, LayeredEngine, NumpyEngine
from tests.moderation.matching.naive import NaiveEngine
from tests.moderation.matching.planting import KEY, InBase, MakeEngine, Mixed

NAMES = ["naive", "numpy", "in_base", "in_delta", "mixed"]


@pytest.fixture(params=NAMES)
def make_engine(request: pytest.FixtureRequest, tmp_path: Path) -> MakeEngine:
    makers: dict[str, MakeEngine] = {
        "naive": lambda: NaiveEngine(KEY),
        "numpy": lambda: NumpyEngine(KEY),
        "in_base": lambda: InBase(tmp_path / "rows"),
        "in_delta": lambda: LayeredEngine(None, KEY),
        "mixed": lambda: Mixed(tmp_path / "rows"),
    }
    return makers[request.param]


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    return make_engine()
