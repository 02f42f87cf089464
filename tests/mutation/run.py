"""
Mutation testing: change one thing in the package, and see whether a test notices.

Run it from ``tests``, or with ``nox -s mutation``::

    python -m mutation.run --sample 100 --seed 1 --only parsing

Each mutant is tested in a process of its own, which has a changed copy of the package; the
checkout is never changed. It runs the tests that cover the changed line. A mutant is killed if one
of them fails twice with the change, and passes without it. Any other one has survived, unless
``equivalent.toml`` explains why no test can notice it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import aiohttp.web  # noqa: F401 - imported once, for all processes that are forked
import cattrs  # noqa: F401
import hypothesis  # noqa: F401
import tenacity  # noqa: F401

from .bench import Bench
from .covering import PACKAGE, Covering
from .mutants import Mutant

MODULES: Final = (
    "_paging/",
    "_api/",
    "_atomic_file.py",
    "_http/retry.py",
    "_files/hosts.py",
    "_files/atomic.py",
    "parsing/",
    "auth.py",
    "webhooks/keys.py",
)
"""The modules that are mutated by default; a slash at the end means a whole folder."""

_EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")

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
        covering = _cover(bench, scratch, options)
        counts: Counter[tuple[str, Outcome]] = Counter()
        started = time.monotonic()
        unexplained = [mutant for mutant in mutants if _key(mutant) not in reasons]
        for mutant in mutants:
            counts[mutant.module, "equivalent"] += _key(mutant) in reasons
        tested = bench.survivors(unexplained, covering, options.seconds)
        for number, (mutant, survived, tests) in enumerate(tested, 1):
            counts[mutant.module, "survived" if survived else "killed"] += 1
            if survived:
                _write(f"survived {tests} tests: {mutant}")
            elif number % 50 == 0:
                _write(f"{number} of {len(unexplained)}, {time.monotonic() - started:.0f} s")
        _write(f"\n{len(mutants)} mutants, {time.monotonic() - started:.0f} s\n")
        _write("\n".join(_table(counts)))
    return 1 if any(count for (_, outcome), count in counts.items() if outcome == "survived") else 0


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


def _cover(bench: Bench, scratch: Path, options: argparse.Namespace) -> Covering:
    if options.coverage and options.coverage.exists():
        return Covering.load(options.coverage)
    folder = scratch / "coverage"
    folder.mkdir()
    covering = Covering.measure(
        bench.package.parent, folder, options.tests or ["tests"], options.jobs
    )
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


if __name__ == "__main__":
    sys.exit(main())
