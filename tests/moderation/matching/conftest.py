"""Every engine that must keep the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from moderation.matching import Engine, LayeredEngine, NumpyEngine
from moderation.matching.milvus import MilvusEngine
from tests.moderation.matching import milvus_server
from tests.moderation.matching.naive import NaiveEngine
from tests.moderation.matching.planting import KEY, InBase, MakeEngine, Mixed

NAMES = ["naive", "numpy", "in_base", "in_delta", "mixed"]
MILVUS = pytest.param("milvus", marks=pytest.mark.milvus)


@pytest.fixture(params=[*NAMES, MILVUS])
def make_engine(request: pytest.FixtureRequest, tmp_path: Path) -> MakeEngine:
    makers: dict[str, MakeEngine] = {
        "naive": lambda: NaiveEngine(KEY),
        "numpy": lambda: NumpyEngine(KEY),
        "in_base": lambda: InBase(tmp_path / "rows"),
        "in_delta": lambda: LayeredEngine(None, KEY),
        "mixed": lambda: Mixed(tmp_path / "rows"),
        "milvus": lambda: request.getfixturevalue("milvus_engine"),
    }
    return makers[request.param]


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    return make_engine()


@pytest.fixture(scope="session")
def milvus_address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    assert request.config.cache is not None
    programs = request.config.cache.mkdir("milvus-2.3.5")
    with milvus_server.running(tmp_path_factory.mktemp("milvus"), programs) as address:
        yield address


@pytest.fixture(scope="session")
def milvus_collection(milvus_address: str) -> MilvusEngine:
    return MilvusEngine.connect(milvus_address, "contract", KEY)


@pytest.fixture
def milvus_engine(milvus_collection: MilvusEngine) -> MilvusEngine:
    """The collection, emptied: a new one would take three seconds."""
    for part in list(milvus_collection.rows()):
        milvus_collection.withdraw(part.ids.tolist())
    return milvus_collection
