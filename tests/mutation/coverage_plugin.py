"""A pytest plugin that records which lines each test runs, also in subprocesses and threads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import coverage
import pytest

TEST_VARIABLE: Final = "MUTATION_TEST"
"""The test that is running; the settings of coverage make it the context of subprocesses."""
RESULTS_VARIABLE: Final = "MUTATION_RESULTS"
"""A folder for the durations of the tests that passed."""

_durations: dict[str, float] = {}
_failed: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Make the test the context of all lines that run meanwhile."""
    os.environ[TEST_VARIABLE] = item.nodeid
    measuring = coverage.Coverage.current()
    assert measuring is not None
    measuring.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        measuring.switch_context("")
        os.environ[TEST_VARIABLE] = ""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the durations of set-up, test and clean-up."""
    _durations[report.nodeid] = _durations.get(report.nodeid, 0.0) + report.duration
    if not report.passed:
        _failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Write the durations of the tests that passed."""
    passed = {test: time for test, time in _durations.items() if test not in _failed}
    Path(os.environ[RESULTS_VARIABLE], f"{os.getpid()}.json").write_text(json.dumps(passed))
