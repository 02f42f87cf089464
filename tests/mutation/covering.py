"""Which tests run a line of the package, and how long each takes."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, Self

import coverage
from attrs import frozen

from .coverage_plugin import RESULTS_VARIABLE, TEST_VARIABLE
from .mutants import Mutant

PACKAGE: Final = "videosdk_transcripts"

_SETTINGS: Final = f"""
[run]
source_pkgs = {PACKAGE}
parallel = true
patch = subprocess
context = ${{{TEST_VARIABLE}-}}
"""


@frozen
class Covering:
    """The tests of each line, from one run of the tests."""

    times: dict[str, float]
    """The seconds of each test that passed."""
    tests: dict[str, dict[int, frozenset[str]]]
    """Module, line, and the tests that run the line."""

    @classmethod
    def measure(cls, folder: Path, scratch: Path, tests: Sequence[str], jobs: int) -> Self:
        """
        Run tests and record what they cover.

        Args:
            folder: the folder that contains the package.
            scratch: an empty folder.
            tests: the paths of the tests.
            jobs: the number of processes.
        """
        settings = scratch / "coveragerc"
        settings.write_text(_SETTINGS)
        env = environment(folder, scratch) | {
            "COVERAGE_FILE": str(scratch / "coverage"),
            # The tracer that knows contexts, on every version of Python.
            "COVERAGE_CORE": "ctrace",
            "PYTHONPATH": os.pathsep.join((str(folder), str(Path(__file__).parents[1]))),
            TEST_VARIABLE: "",
            RESULTS_VARIABLE: str(scratch),
        }
        plugin = f"{__package__}.coverage_plugin"
        command = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", "pytest"]
        command += ["-q", "--no-header", "--tb=no", "-p", plugin, "-p", "no:cacheprovider"]
        # Each process must collect the same tests, in the same order.
        command += ["-p", "no:randomly"]
        command += ["-n", str(jobs)] if jobs > 1 else []
        # Failures are reported, and tests that failed are left out.
        subprocess.run([*command, *tests], env=env, cwd=_CHECKOUT, check=False)  # noqa: S603
        measured = coverage.Coverage(data_file=str(scratch / "coverage"), config_file=str(settings))
        measured.combine([str(scratch)])
        return cls(_read_times(scratch), _read_tests(measured.get_data(), folder / PACKAGE))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read data that `save` has written."""
        saved = json.loads(file.read_text("utf-8"))
        lines = saved["lines"].items()
        names = saved["tests"]
        return cls(
            saved["times"],
            {
                module: {int(n): frozenset(names[i] for i in ids) for n, ids in found.items()}
                for module, found in lines
            },
        )

    def save(self, file: Path) -> None:
        """Write the data to a file."""
        names = sorted(
            {test for found in self.tests.values() for ts in found.values() for test in ts}
        )
        numbers = {name: number for number, name in enumerate(names)}
        lines = {
            module: {line: sorted(numbers[test] for test in tests) for line, tests in found.items()}
            for module, found in self.tests.items()
        }
        file.write_text(json.dumps({"times": self.times, "tests": names, "lines": lines}), "utf-8")

    def of_module(self, module: str) -> dict[str, float]:
        """
        Return the tests of a module, with their times.

        These are the tests that run one of its lines, and those of the mirroring file: they may
        use a value that is computed only once.
        """
        run = set(chain(*self.tests.get(module, {}).values()))
        file = mirror_file(module)
        return {
            test: time for test, time in self.times.items() if test in run or test.startswith(file)
        }

    def choose(self, mutant: Mutant, source: str, seconds: float) -> list[str]:
        """
        Return the tests to run for a mutant: those likely to notice it first.

        These are the tests that run the changed line, or use what it defines, then the other
        tests of the module, since some lines run only once in a process. Among equals the tests
        of the mirroring file come first, then those of the mirroring folder, then the fast ones.

        Args:
            mutant: the mutant.
            source: the source of the module without the change.
            seconds: how long the tests may take together.
        """
        found = self.tests.get(mutant.module, {})
        lines = {mutant.line}
        if mutant.scope is None:
            # These lines run once, when the module is imported.
            lines = _lines_that_use(mutant.name, source)
        direct = {test for line in lines for test in found.get(line, ())}
        folder, file = mirror_folder(mutant.module), mirror_file(mutant.module)

        def rank(test: str) -> tuple[bool, bool, bool, float]:
            is_own, is_near = test.startswith(file), test.startswith(folder)
            is_likely = test in direct or (is_own and mutant.scope is None)
            return not is_likely, not is_own, not is_near, self.times[test]

        chosen: list[str] = []
        for test in sorted(self.of_module(mutant.module), key=rank):
            if self.times[test] < seconds:
                seconds -= self.times[test]
                chosen.append(test)
        return chosen


def mirror_folder(module: str) -> str:
    """Return the beginning of the ids of the tests of a module's folder."""
    folder = module.lstrip("_").rpartition("/")[0]
    return f"tests/{folder}/" if folder else mirror_file(module)


def mirror_file(module: str) -> str:
    """Return the beginning of the ids of the tests of a module."""
    folder, slash, name = module.lstrip("_").rpartition("/")
    return f"tests/{folder}{slash}test_{name.lstrip('_')}"


def environment(folder: Path, scratch: Path) -> dict[str, str]:
    """Return the environment of a run that imports the package from a folder."""
    return os.environ | {
        "PYTHONPATH": str(folder),
        # Otherwise `-m` would find the package in the current folder first.
        "PYTHONSAFEPATH": "1",
        "PYTHONPYCACHEPREFIX": str(scratch / "pycache"),
        # Mutants make Hypothesis find examples, which must not be tried in later runs.
        "HYPOTHESIS_STORAGE_DIRECTORY": str(scratch / "hypothesis"),
    }


_CHECKOUT: Final = Path(__file__).parents[2]


def _read_times(scratch: Path) -> dict[str, float]:
    times: dict[str, float] = {}
    for file in scratch.glob("*.json"):
        times |= json.loads(file.read_text("utf-8"))
    return times


def _read_tests(data: coverage.CoverageData, package: Path) -> dict[str, dict[int, frozenset[str]]]:
    tests: dict[str, dict[int, frozenset[str]]] = {}
    for name in data.measured_files():
        module = Path(name).relative_to(package).as_posix()
        # Static and dynamic contexts are separated by a bar.
        tests[module] = {
            line: frozenset(context.strip("|") for context in contexts if context.strip("|"))
            for line, contexts in data.contexts_by_lineno(name).items()
        }
    return tests


def _lines_that_use(name: str | None, source: str) -> set[int]:
    """Return the lines of the functions that use a name, or else those of all functions."""
    lines: dict[bool, set[int]] = defaultdict(set)
    for function in _functions(ast.parse(source)):
        body = {
            n.lineno for node in function.body for n in ast.walk(node) if isinstance(n, ast.expr)
        }
        names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        lines[name in names] |= body
    return lines[True] or lines[False]


def _functions(tree: ast.Module) -> Iterable[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
