"""Where FENGSUI_TESTS_MAY_NOT_SKIP is set, as in CI, a skipped test fails the run."""

import os

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn skips into a failure: what CI can run, it must run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("FENGSUI_TESTS_MAY_NOT_SKIP"):
        reporter.write_line(f"{len(skipped)} skipped, and here nothing may be skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
