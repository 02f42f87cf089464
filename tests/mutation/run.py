"""
Mutation testing: change one thing in the package, and see whether a test notices.

Run it from ``tests``, or with ``nox -s mutation``::

    python -m mutation.run --sample 100 --seed 1 --only parsing

Each mutant runs in a process of its own, which imports a changed copy of the package; the
checkout is never changed. It runs the tests that cover the changed line. A mutant that none of
them notices has survived, unless ``equivalent.toml`` explains why no test can notice it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import aiohttp.web  # noqa: F401 - imported once, for all processes that are forked
import cattrs  # noqa: F401
import hypothesis  # noqa: F401
import pytest
import tenacity  # noqa: F401
from attrs import Factory, define

from .covering import PACKAGE, Covering, environment, mirror_folder
from .mutants import Mutant, find_mutants

MODULES: Final = (
    "_paging/",
    "_api/",
    "_http/retry.py",
    "_files/hosts.py",
    "_files/atomic.py",
    "parsing/",
    "auth.py",
    "webhooks/keys.py",
)
"""The modules that are mutated by default; a slash at the end means a whole folder."""

_EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
_CHECKOUT: Final = Path(__file__).parents[2]
_TEST_SECONDS: Final = 20
"""After this time a test counts as failed: some mutants never end."""
_MUTANT_SECONDS: Final = 600
"""After this time a mutant counts as killed: it blocks in a way that pytest can't end."""

Outcome = Literal["killed", "survived", "equivalent"]


def main() -> int:
    """Run it and return the exit code: 1 if a mutant survived that no reason explains."""
    options = _parse(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        scratch = Path(name)
        bench = Bench(_copy_package(scratch), scratch)
        mutants = [
            m for module in _modules(bench.package, options.only) for m in bench.find(module)
        ]
        reasons = _read_reasons(mutants)
        if 0 < options.sample < len(mutants):
            mutants = random.Random(options.seed).sample(mutants, options.sample)  # noqa: S311
            mutants.sort(key=lambda mutant: (mutant.module, mutant.line))
        covering = _cover(bench, options)
        counts: Counter[tuple[str, Outcome]] = Counter()
        started = time.monotonic()
        for number, mutant in enumerate(mutants, 1):
            source = bench.sources[mutant.module]
            outcome: Outcome = "equivalent"
            if _key(mutant) not in reasons:
                tests = covering.choose(mutant, source, options.seconds)
                outcome = "killed" if bench.is_killed(mutant, tests) else "survived"
            counts[mutant.module, outcome] += 1
            if outcome == "survived":
                _write(f"survived {len(tests)} tests: {mutant}")
            elif number % 50 == 0:
                _write(f"{number} of {len(mutants)}")
        _write(f"\n{len(mutants)} mutants, {time.monotonic() - started:.0f} s\n")
        _write("\n".join(_table(counts)))
    return 1 if any(outcome == "survived" for _, outcome in counts) else 0


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutation", description="Mutation testing.")
    add = parser.add_argument
    add("--sample", type=int, default=0, help="number of mutants, drawn at random; 0 for all")
    add("--seed", type=int, default=0, help="seed of the sample")
    add("--only", action="append", help="module or folder in the package; may be repeated")
    add("--seconds", type=float, default=30, help="time of the tests of one mutant")
    add("--jobs", type=int, default=1, help="processes for measuring coverage")
    add("--tests", action="append", help="tests to choose from; all by default")
    add("--coverage", type=Path, help="keep the coverage in this file, and use it again")
    return parser.parse_args(arguments)


def _copy_package(scratch: Path) -> Path:
    """Copy the installed package."""
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    folder = scratch / "copy"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(spec.origin).parent, folder / PACKAGE, ignore=ignored)
    return folder


def _modules(package: Path, only: Sequence[str] | None) -> Iterator[str]:
    found = sorted(file.relative_to(package).as_posix() for file in package.rglob("*.py"))
    for chosen in only or MODULES:
        matching = [m for m in found if m == chosen or m.startswith(f"{chosen.rstrip('/')}/")]
        if not matching:
            raise SystemExit(f"no module {chosen} in {PACKAGE}")
        yield from matching


def _cover(bench: Bench, options: argparse.Namespace) -> Covering:
    if options.coverage and options.coverage.exists():
        return Covering.load(options.coverage)
    folder = bench.scratch / "coverage"
    folder.mkdir()
    covering = Covering.measure(bench.folder, folder, options.tests or ["tests"], options.jobs)
    if options.coverage:
        covering.save(options.coverage)
    return covering


def _key(mutant: Mutant) -> tuple[str, str, str]:
    return mutant.module, mutant.code, mutant.change


def _read_reasons(mutants: Sequence[Mutant]) -> set[tuple[str, str, str]]:
    """Return the mutants that are known to be equivalent; each must still exist."""
    known = tomllib.loads(_EQUIVALENT.read_text("utf-8")).get("mutant", [])
    keys = {(one["module"], one["code"], one["change"]) for one in known if one["reason"]}
    modules = {mutant.module for mutant in mutants}
    unknown = {key for key in keys if key[0] in modules} - {_key(mutant) for mutant in mutants}
    if unknown:
        raise SystemExit(f"{_EQUIVALENT.name} has mutants that do not exist: {sorted(unknown)}")
    return keys


def _table(counts: Counter[tuple[str, Outcome]]) -> Iterator[str]:
    yield "| module | mutants | killed | survived | equivalent | killed without equivalents |"
    yield "|---|---|---|---|---|---|"
    modules = sorted({module for module, _ in counts})
    for module in (*modules, "all"):
        killed, survived, equivalent = (
            sum(counts[one, outcome] for one in (modules if module == "all" else [module]))
            for outcome in ("killed", "survived", "equivalent")
        )
        share = f"{killed / (killed + survived):.1%}" if killed + survived else "-"
        total = killed + survived + equivalent
        name = module if module == "all" else f"`{module}`"
        yield f"| {name} | {total} | {killed} | {survived} | {equivalent} | {share} |"


@define
class Bench:
    """A copy of the package, of which one module at a time is changed."""

    folder: Path
    scratch: Path
    sources: dict[str, str] = Factory(dict)
    """The source of each module without a change."""
    _writes: int = 0

    @property
    def package(self) -> Path:
        """The copy of the package."""
        return self.folder / PACKAGE

    def find(self, module: str) -> list[Mutant]:
        """Return the mutants of a module."""
        self.sources[module] = (self.package / module).read_text("utf-8")
        return find_mutants(module, self.sources[module])

    def is_killed(self, mutant: Mutant, tests: Sequence[str]) -> bool:
        """Return whether one of the tests fails with the changed module."""
        file = self.package / mutant.module
        self._write(file, mutant.source)
        # Those of the mirroring folder first: most mutants end there, and fewer files are imported.
        folder = mirror_folder(mutant.module)
        near = [test for test in tests if test.startswith(folder)]
        far = [test for test in tests if not test.startswith(folder)]
        try:
            return self._run(near) or self._run(far)
        finally:
            self._write(file, self.sources[mutant.module])

    def _write(self, file: Path, source: str) -> None:
        """Write a source, with a time that no compiled file of it has."""
        file.write_text(source, "utf-8")
        self._writes += 1
        os.utime(file, (self._writes, self._writes))

    def _run(self, tests: Sequence[str]) -> bool:
        if not tests:
            return False
        child = os.fork()
        if child == 0:
            os._exit(_run_tests(tests, environment(self.folder, self.scratch)))
        try:
            code = _wait(child)
        finally:
            # Also what the tests started and the mutant did not end.
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        if code == pytest.ExitCode.NO_TESTS_COLLECTED:
            raise SystemExit(f"pytest did not find {tests[0]}")
        return code != pytest.ExitCode.OK


def _wait(child: int) -> int:
    """Wait for a process and return its exit code; end it after some minutes."""
    deadline = time.monotonic() + _MUTANT_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run_tests(tests: Sequence[str], env: dict[str, str]) -> int:
    """Run tests in this process, which ends afterwards, and return pytest's exit code."""
    os.setpgid(0, 0)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(_CHECKOUT)
    sys.pycache_prefix = env["PYTHONPYCACHEPREFIX"]
    own = ("", str(_CHECKOUT), str(_CHECKOUT / "tests"))
    sys.path[:] = [env["PYTHONPATH"], *(path for path in sys.path if path not in own)]
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    files = sorted({test.partition("::")[0] for test in tests})
    options = ["-x", "-q", "--no-header", "--tb=no", f"--timeout={_TEST_SECONDS}"]
    # Rewriting the assertions would take longer than most tests.
    options += ["--assert=plain", "-p", "no:randomly", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, *files], plugins=[_Chosen(tests)]))


class _Chosen:
    """A pytest plugin that runs some of the tests, in the given order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        chosen = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(chosen, key=lambda item: self._order[item.nodeid])


if __name__ == "__main__":
    sys.exit(main())
