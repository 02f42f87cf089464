"""A copy of the package in which one change at a time is tested."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .covering import PACKAGE, Covering, environment, mirror_folder
from .mutants import Mutant, find_mutants
from .processes import Fresh, Warm

Run = Callable[[Sequence[str]], str | None]
"""Run tests and return the first that fails."""


class Bench:
    """
    A copy of the package, of which one module at a time is changed.

    Args:
        folder: contains the copy.
        scratch: for what the tests write.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.package: Final = folder / PACKAGE
        self.sources: Final[dict[str, str]] = {}
        """The source of each module without a change."""
        self._env = environment(folder, scratch)
        self._fresh = Fresh(self._env)
        self._passes: dict[str, bool] = {}
        self._writes = 0

    def find(self, module: str) -> list[Mutant]:
        """Return the mutants of a module."""
        self.sources[module] = (self.package / module).read_text("utf-8")
        return find_mutants(module, self.sources[module])

    def survivors(
        self, mutants: Sequence[Mutant], covering: Covering, seconds: float
    ) -> Iterator[tuple[Mutant, bool, int]]:
        """
        Test mutants, and yield each with whether it survived and the number of its tests.

        Args:
            mutants: the mutants.
            covering: the tests of each line.
            seconds: how long the tests of a mutant may take together.
        """
        modules = {mutant.module for mutant in mutants}
        tests = {test for module in modules for test in covering.of_module(module)}
        warm = Warm(self._env, self.package, sorted(tests))
        try:
            for mutant in mutants:
                tests = covering.choose(mutant, self.sources[mutant.module], seconds)
                killed = self._is_killed_warm(mutant, tests, warm) or self._is_killed(mutant, tests)
                yield mutant, not killed, len(tests)
        finally:
            warm.close()

    def _is_killed_warm(self, mutant: Mutant, tests: Sequence[str], warm: Warm) -> bool:
        """Return whether a test fails after the change of an imported function."""
        if mutant.scope is None:
            return False
        file, old = self.package / mutant.module, self.sources[mutant.module]
        change = (file, mutant.line, old, mutant.source)
        return self._fails(
            mutant,
            tests,
            lambda chosen: warm.first_failure(chosen, change),
            lambda chosen: warm.first_failure(chosen, None),
        )

    def _is_killed(self, mutant: Mutant, tests: Sequence[str]) -> bool:
        """Return whether a test fails in a process that imports the changed module."""
        # The mirroring folder is first: its tests kill most mutants, with fewer imports.
        folder, run = mirror_folder(mutant.module), self._fresh.first_failure
        near = [test for test in tests if test.startswith(folder)]
        far = [test for test in tests if not test.startswith(folder)]
        return self._fails(mutant, near, run, run) or self._fails(mutant, far, run, run)

    def _fails(self, mutant: Mutant, tests: Sequence[str], changed: Run, unchanged: Run) -> bool:
        """Return whether a test fails twice with the change, and passes without it."""
        while tests:
            with self._on_disk(mutant):
                failed = changed(tests)
                if failed is None:
                    return False
                fails_again = changed([failed]) is not None
            if fails_again:
                if failed not in self._passes:
                    self._passes[failed] = unchanged([failed]) is None
                if self._passes[failed]:
                    return True
            tests = tests[tests.index(failed) + 1 :]
        return False

    @contextmanager
    def _on_disk(self, mutant: Mutant) -> Iterator[None]:
        """Change the module, for processes that import it."""
        file = self.package / mutant.module
        self._write(file, mutant.source)
        try:
            yield
        finally:
            self._write(file, self.sources[mutant.module])

    def _write(self, file: Path, source: str) -> None:
        """Write a source, with a time that no compiled file of it has."""
        file.write_text(source, "utf-8")
        self._writes += 1
        os.utime(file, (self._writes, self._writes))
