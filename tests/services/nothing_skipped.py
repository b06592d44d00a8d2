"""A pytest plugin, `-p tests.services.nothing_skipped`: skipping is failing."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and any(map(reporter.stats.get, ("skipped", "xfailed", "xpassed"))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
