"""
Run chosen tests in a process of their own, up to the first one that fails.

A fresh process imports the package as it is on disk, which takes seconds. A warm one is forked
from a server that has collected all tests: only the code of a function can be changed there.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import pytest

from .swap import Functions, find_functions, replace_function

CHECKOUT: Final = Path(__file__).parents[2]

_WALL_SECONDS: Final = 60
"""After this time a test counts as failed: some mutants wait for ever."""
_CPU_SECONDS: Final = 10
"""The same for time of the processor, which does not depend on other programs: some never wait."""
_SILENT_SECONDS: Final = 180
"""After this time without another test, the last one counts as failed: pytest can't end it."""


class Fresh:
    """
    Run tests in fresh processes.

    Args:
        env: the environment of the tests, where `PYTHONPATH` is the folder of the package.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def first_failure(self, tests: Sequence[str]) -> str | None:
        """Return the first of the tests that fails, in the given order; None if all pass."""

        def run(report: int) -> None:
            _enter(self._env)
            code = _pytest(tests, _Chosen(tests), _Reporter(report))
            if code == pytest.ExitCode.NO_TESTS_COLLECTED:
                _send(report, "missing", tests[0])
            elif code != pytest.ExitCode.OK:
                # The module could not even be imported.
                _send(report, "failed", tests[0])

        return _first_failure(run)


class Warm:
    """
    Run tests in processes that have collected them already.

    Args:
        env: the environment of the tests, where `PYTHONPATH` is the folder of the package.
        package: the package.
        tests: all tests that may be run.
    """

    def __init__(self, env: Mapping[str, str], package: Path, tests: Sequence[str]) -> None:
        requests, self._requests = os.pipe()
        answers_read, answers = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(self._requests)
            with os.fdopen(requests) as lines, suppress(BrokenPipeError):
                _enter(env)
                _pytest(tests, _Server(package, lines, answers))
            os._exit(0)
        os.close(requests)
        os.close(answers)
        self._lines = os.fdopen(answers_read)
        # The package must not be changed while the server imports it.
        self._read_answer()

    def first_failure(
        self, tests: Sequence[str], change: tuple[Path, int, str, str] | None
    ) -> str | None:
        """
        Return the first of the tests that fails, in the given order; None if all pass.

        Args:
            tests: the tests.
            change: the module, the line, the source and the changed source; None for no change.
                If the function can't be changed here, no test fails.
        """
        place = None if change is None else (str(change[0]), *change[1:])
        os.write(self._requests, f"{json.dumps([tests, place])}\n".encode())
        return self._read_answer()

    def _read_answer(self) -> str | None:
        answer = self._lines.readline()
        if not answer:
            raise SystemExit("pytest could not collect the tests")
        failed: str | None = json.loads(answer)
        return failed

    def close(self) -> None:
        """End the server."""
        os.close(self._requests)
        self._lines.close()
        os.wait()


def _enter(env: Mapping[str, str]) -> None:
    """Prepare this process, which was forked, for pytest."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(CHECKOUT)
    sys.pycache_prefix = env["PYTHONPYCACHEPREFIX"]
    own = ("", str(CHECKOUT), str(CHECKOUT / "tests"))
    sys.path[:] = [env["PYTHONPATH"], *(path for path in sys.path if path not in own)]
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)


def _pytest(tests: Sequence[str], *plugins: object) -> int:
    """Run pytest on the files of tests, and return its exit code."""
    files = sorted({test.partition("::")[0] for test in tests})
    options = ["-q", "--no-header", "--tb=no", f"--timeout={_WALL_SECONDS}"]
    # Rewriting the assertions would take longer than most tests.
    options += ["--assert=plain", "-p", "no:randomly", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, *files], plugins=plugins))


def _first_failure(run: Callable[[int], None]) -> str | None:
    """Run tests in a forked process, and return the one that it reports as failed, if any."""
    reports, report = os.pipe()
    child = os.fork()
    if child == 0:
        # A group, so that what the tests start can be ended with it.
        os.setpgid(0, 0)
        try:
            run(report)
            _send(report, "passed", "")
        finally:
            os._exit(0)
    os.close(report)
    try:
        return _read_failure(reports)
    finally:
        os.close(reports)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _send(report: int, kind: str, test: str) -> None:
    os.write(report, f"{kind} {test}\n".encode())


def _read_failure(reports: int) -> str | None:
    received = b""
    kind, test = "started", "no test"
    while kind == "started" and select.select([reports], [], [], _SILENT_SECONDS)[0]:
        part = os.read(reports, 1 << 16)
        if not part:
            break  # it was killed
        received += part
        *lines, received = received.split(b"\n")
        for line in lines:
            kind, _, test = line.decode().partition(" ")
            if kind != "started":
                break
    if kind == "missing":
        raise SystemExit(f"pytest did not find {test}")
    return None if kind == "passed" else test


class _Reporter:
    """A pytest plugin that reports each test, and ends the process after a failure."""

    def __init__(self, report: int) -> None:
        self._report = report

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        # Its signal ends this process.
        signal.setitimer(signal.ITIMER_PROF, _CPU_SECONDS)
        _send(self._report, "started", nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            _send(self._report, "failed", report.nodeid)
            os._exit(1)


class _Chosen:
    """A pytest plugin that runs some of the tests, in the given order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        chosen = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(chosen, key=lambda item: self._order[item.nodeid])


class _Server:
    """A pytest plugin that runs tests for each request, in a process of its own."""

    def __init__(self, package: Path, requests: IO[str], answers: int) -> None:
        self._package = package
        self._requests = requests
        self._answers = answers

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        functions = find_functions(self._package)
        # Otherwise each collection in a forked process would copy all of this memory.
        gc.collect()
        gc.freeze()
        self._answer(None)
        for request in self._requests:
            tests, change = json.loads(request)
            # Coverage that was kept may name tests that no longer exist.
            chosen = [items[test] for test in tests if test in items]
            failed = _first_failure(lambda report: _run(chosen, functions, change, report))  # noqa: B023
            self._answer(failed)
        return True

    def _answer(self, failed: str | None) -> None:
        os.write(self._answers, f"{json.dumps(failed)}\n".encode())


def _run(
    items: Sequence[pytest.Item], functions: Functions, change: Sequence[Any] | None, report: int
) -> None:
    """Change a function, and run tests."""
    if not items:
        return
    if change is not None:
        file, line, old, new = change
        if not replace_function(functions, Path(file), line, old, new):
            return
    config = items[0].config
    config.pluginmanager.register(_Reporter(report))
    # Discard the output of a killed process.
    config.pluginmanager.getplugin("capturemanager").read_global_capture()
    for item, following in zip(items, [*items[1:], None], strict=True):
        config.hook.pytest_runtest_protocol(item=item, nextitem=following)
