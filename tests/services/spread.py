"""A pytest plugin, `-p tests.services.spread`: how tests are spread over processes (xdist).

What runs on a whole installation comes first, because it lasts longest. Tests that share
an installation stay in one process, which else would each build their own.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

LONG = "tests/walk/"
SHARED = {
    "test_walk": "stack",
    "test_kill": "stack",
    "test_leaks": "embedded",
    "test_outage": "embedded",
}


class Spread(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        if "milvus" in nodeid:
            return "milvus"  # one server for all
        module = nodeid.partition(LONG)[2].partition(".py")[0]
        return SHARED.get(module, nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spread:
    config.option.loadscopereorder = False
    return Spread(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
