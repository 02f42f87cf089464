"""All checks: ``nox`` runs the default sessions, ``nox -l`` lists them."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
# Only packages are downloaded; a Python that the machine lacks is skipped, also in CI.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

PROJECT: Final = nox.project.load_toml("pyproject.toml")
PACKAGE: Final = "videosdk_transcripts"
PYTHONS: Final = nox.project.python_versions(PROJECT)
LOWEST: Final = PYTHONS[0]

RUNNING: Final = ".".join(platform.python_version_tuple()[:2])
if RUNNING not in PYTHONS:
    # A machine may have only a Python newer than all that are declared.
    PYTHONS.append(RUNNING)

# Outside the checkout, whose settings must not apply to what runs there. Removed at the end.
_SCRATCH: Final = tempfile.TemporaryDirectory(prefix=f"{PACKAGE}-nox-")
SCRATCH: Final = Path(_SCRATCH.name)


def _open_pyenv() -> None:
    """Make pyenv's shims on the PATH work: each fails unless its version is selected."""
    if (pyenv := shutil.which("pyenv")) is None:
        return
    listed = subprocess.run(  # noqa: S603 - the pyenv that made the shims
        [pyenv, "versions", "--bare"], capture_output=True, text=True, check=False
    )
    wanted = [v for v in listed.stdout.split() if re.sub(r"\.\d+$", "", v) in PYTHONS]
    if wanted:
        os.environ["PYENV_VERSION"] = ":".join(wanted)


_open_pyenv()


def _newest() -> str:
    """Return the newest declared Python that the machine has; the running one always counts."""
    found = [v for v in PYTHONS if v == RUNNING or shutil.which(f"python{v}")]
    return max(found, key=lambda version: tuple(map(int, version.split("."))))


NEWEST: Final = _newest()

# One process per core; one that has no more tests takes some of another.
PARALLEL: Final = ("-n", "auto", "--dist", "worksteal")


def _group(*names: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PROJECT, *names)


_BUILD: Final = (*_group("build"), *PROJECT["build-system"]["requires"])


def _build(session: nox.Session) -> tuple[Path, Path]:
    """Build the sdist, and from it the wheel, once for all sessions of a run."""
    dist = SCRATCH / "dist"
    if not any(dist.glob("*.whl")):
        # The session has the tools already, and isolated environments would get them twice more.
        command = ("python", "-m", "build", "--no-isolation", "--outdir", str(dist))
        session.run(*command, silent=True)
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    return sdist, wheel


def _install_built(session: nox.Session, *more: str) -> None:
    """Install the requirements of the wheel and its extras, more packages, and the wheel."""
    project = PROJECT["project"]
    extras = [
        *project["optional-dependencies"]["cli"],
        *project["optional-dependencies"]["webhooks"],
    ]
    # All at once, because each run of pip takes seconds.
    session.install(*project["dependencies"], *extras, *_BUILD, *more)
    _, wheel = _build(session)
    # A reused environment already has a wheel of this version, and would keep it.
    session.install("--force-reinstall", "--no-deps", str(wheel))


def _environment(session: nox.Session) -> dict[str, str]:
    # Without the first one, `-m` would test the checkout instead of the wheel.
    return {"PYTHONSAFEPATH": "1", "COVERAGE_FILE": str(SCRATCH / session.name / "coverage")}


def _run_tests(session: nox.Session) -> None:
    _install_built(session, *_group("test"))
    env = _environment(session)
    # A selection of tests covers only a part of the package.
    session.run("coverage", "run", "-m", "pytest", *(session.posargs or PARALLEL), env=env)
    if not session.posargs:
        session.run("coverage", "combine", "-q", env=env)
        session.run("coverage", "report", env=env)


@nox.session(python=NEWEST)
def tests(session: nox.Session) -> None:
    """Test the built wheel on the newest Python found, with 100 % branch coverage."""
    _run_tests(session)


@nox.session(python=[version for version in PYTHONS if version != NEWEST])
def tests_older(session: nox.Session) -> None:
    """Test the built wheel on the other declared Pythons that the machine has."""
    _install_built(session, *_group("test"))
    # Coverage is measured once, because it takes a third of the time.
    chosen = session.posargs or PARALLEL
    session.run("python", "-m", "pytest", *chosen, env=_environment(session))


@nox.session(python=NEWEST)
def tools(session: nox.Session) -> None:
    """Test the benchmarks, the comparison and the pictures of the docs."""
    _install_built(session, *_group("test"))
    chosen = ("-m", "tool", *(session.posargs or PARALLEL))
    session.run("python", "-m", "pytest", *chosen, env=_environment(session))


def _floors(*extras: str) -> Iterator[str]:
    """Yield the oldest version of each dependency that the project declares, with its extras."""
    optional = PROJECT["project"]["optional-dependencies"]
    chosen = [requirement for extra in extras for requirement in optional[extra]]
    for requirement in [*PROJECT["project"]["dependencies"], *chosen]:
        found = re.match(r"[\w.-]+>=([\w.]+)", requirement, re.ASCII)
        if found is None:
            raise ValueError(f"{requirement!r} does not start with its floor")
        yield found.group().replace(">=", "==")


@nox.session(python=LOWEST)
def tests_lowest(session: nox.Session) -> None:
    """Test with the oldest supported dependencies, on the oldest Python."""
    _install_built(session, *_floors("cli", "webhooks"), *_group("test"))
    chosen = session.posargs or PARALLEL
    session.run("python", "-m", "pytest", *chosen, env=_environment(session))


@nox.session(default=False)
def matrix(session: nox.Session) -> None:
    """Measure reliability: faults, concurrent modification, cancellation, mutated bytes."""
    _install_built(session, *_group("test", "fuzz"))
    # So that `-m` finds the matrix in tests, and the package in the wheel.
    session.chdir("tests")
    session.run("python", "-m", "matrix.run", *session.posargs)
    session.run("python", "-m", "matrix.fuzz")


@nox.session(python=NEWEST, default=False)
def bench(session: nox.Session) -> None:
    """Measure the cost of walks against raw aiohttp on the newest Python found."""
    groups = ("bench", "peers") if "--peers" in session.posargs else ("bench",)
    _install_built(session, *_group(*groups))
    # As above; paths in the arguments are relative to it.
    session.chdir("tests")
    session.run("python", "-m", "benchmarks.run", *session.posargs)


@nox.session(python=NEWEST, default=False)
def comparison(session: nox.Session) -> None:
    """Compare the rows that four clients return from the same servers."""
    _install_built(session)
    # As above.
    session.chdir("tests")
    session.run("python", "-m", "comparison.run")


@nox.session(python=NEWEST, default=False)
def pictures(session: nox.Session) -> None:
    """Draw the pictures of the docs from real runs."""
    _install_built(session)
    session.run("python", "docs/pictures/make.py")


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Feed mutated bytes to everything that reads a response, for ``--seconds``."""
    _install_built(session, *_group("test", "fuzz"))
    session.chdir("tests")
    session.run("python", "-m", "matrix.fuzz", *session.posargs)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Change the package in small ways, and report each change that no test notices."""
    _install_built(session, *_group("test"))
    session.chdir("tests")
    session.run("python", "-m", "mutation.run", *session.posargs)


@nox.session(python=NEWEST)
def examples(session: nox.Session) -> None:
    """Test the programs of the docs as processes, over HTTP."""
    _install_built(session, *_group("examples"))
    chosen = ("-c", "tests/examples/pytest.ini", "tests/examples", *session.posargs)
    session.run("python", "-m", "pytest", *chosen, env=_environment(session))


@nox.session(default=False)
def browser(session: nox.Session) -> None:
    """Test pages in Chromium; ``apt-get install chromium chromium-driver`` first."""
    _install_built(session, *_group("browser", "docs", "examples"))
    # Fails without a browser. Its own settings replace those of the checkout.
    chosen = ("-c", "tests/browser/pytest.ini", "tests/browser", *session.posargs)
    session.run("python", "-m", "pytest", *chosen, env=_environment(session))


@nox.session(python=NEWEST)
def export(session: nox.Session) -> None:
    """Test exports: Parquet, object stores and a Dask cluster on this machine."""
    extras = PROJECT["project"]["optional-dependencies"]
    _install_built(session, *extras["export"], *extras["dask"], *_group("export"))
    env = {**_environment(session), "COVERAGE_RCFILE": "tests/export/coverage.ini"}
    chosen = ("-c", "tests/export/pytest.ini", "tests/export", *session.posargs)
    session.run("coverage", "run", "-m", "pytest", *chosen, env=env)
    if not session.posargs:
        session.run("coverage", "combine", "-q", env=env)
        session.run("coverage", "report", env=env)


@nox.session(python=[version for version in PYTHONS if version != NEWEST], default=False)
def export_older(session: nox.Session) -> None:
    """Test exports on the other declared Pythons that the machine has."""
    extras = PROJECT["project"]["optional-dependencies"]
    _install_built(session, *extras["export"], *extras["dask"], *_group("export"))
    chosen = ("-c", "tests/export/pytest.ini", "tests/export", *session.posargs)
    session.run("python", "-m", "pytest", *chosen, env=_environment(session))


@nox.session(python=LOWEST, default=False)
def export_lowest(session: nox.Session) -> None:
    """Test exports with the oldest supported dependencies, on the oldest Python."""
    # The oldest fsspec selects the oldest s3fs, which requires the same release.
    _install_built(session, *_floors("export", "dask"), *_group("export"))
    chosen = ("-c", "tests/export/pytest.ini", "tests/export", *session.posargs)
    session.run("python", "-m", "pytest", *chosen, env=_environment(session))


@nox.session(python=NEWEST)
def integrations(session: nox.Session) -> None:
    """Test with FastAPI, pandas, OpenTelemetry, S3 and others, as the guides use them."""
    extras = PROJECT["project"]["optional-dependencies"]
    _install_built(session, *extras["export"], *_group("integrations"))
    chosen = ("-c", "tests/integrations/pytest.ini", "tests/integrations", *session.posargs)
    session.run("python", "-m", "pytest", *chosen, env=_environment(session))


@nox.session(python=NEWEST, default=False)
def measure_export(session: nox.Session) -> None:
    """Measure exports: killed processes, rate limit, a million rows, cost; takes 20 minutes."""
    extras = PROJECT["project"]["optional-dependencies"]
    _install_built(session, *extras["export"], *extras["dask"], *_group("export"))
    env = _environment(session)
    session.run("python", "tests/export/measure.py", *session.posargs, env=env)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and imports."""
    session.install(*_group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    # It parses the imports without running them, so no dependency is installed.
    session.run("lint-imports")


def _write_examples(folder: Path) -> None:
    """Write each Python example of the docs to a file, with the names it may use."""
    frame = (
        "from videosdk_transcripts import TranscriptsClient\n"
        "async def example(client: TranscriptsClient, room_id: str, session_id: str) -> None:\n"
    )
    for page in (Path("README.md"), *Path("docs").rglob("*.md")):
        text = page.read_text("utf-8")
        for block in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, block.start()) + 2
            name = f"{page.stem.replace('-', '_').lower()}_{line}.py"
            # A test is its own module; everything else is the body of a function.
            is_test = "def test_" in block[1]
            code = block[1] if is_test else frame + textwrap.indent(block[1], "    ")
            (folder / name).write_text(code, "utf-8")


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types of the package, of a user's view of it and of all examples."""
    session.install("-e", ".[cli,webhooks]", *_group("typing", "test", "examples"))
    users = ("tests/typing", "docs/examples")
    examples = SCRATCH / "examples"
    examples.mkdir()
    _write_examples(examples)
    session.run("mypy", PACKAGE, *users, str(examples))
    # Its JavaScript and Node come from wheels; nothing is downloaded while it runs.
    session.run("pyright", PACKAGE, *users, str(examples))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the docs; warnings and unresolved references are errors."""
    session.install("-e", ".[cli,webhooks]", *_group("docs"))
    session.run("sphinx-build", "-q", "-W", "-n", "-E", "-b", "html", "docs", "docs/_build/html")


@nox.session
def build(session: nox.Session) -> None:
    """Build the sdist and the wheel, check their contents, and install the wheel."""
    session.install(*_BUILD)
    sdist, wheel = _build(session)
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = archive.namelist()
        metadata = next(name for name in in_wheel if name.endswith(".dist-info/METADATA"))
        description = archive.read(metadata).decode()
    for name in ("LICENSE", "README.md", "CHANGELOG.md", "noxfile.py", "docs/index.md"):
        if name not in in_sdist:
            session.error(f"the sdist has no {name}")
    for ending in (f"{PACKAGE}/py.typed", ".dist-info/licenses/LICENSE"):
        if not any(name.endswith(ending) for name in in_wheel):
            session.error(f"the wheel has no {ending}")
    if any(name.startswith(("tests/", "docs/")) for name in in_wheel):
        session.error("the wheel has files outside of the package")
    # A package index shows the README without the files of the repository.
    if relative := re.findall(r"\]\((?!https://)[^)]*\)", description):
        session.error(f"the description of the wheel has relative links: {relative}")
    # This session's own environment has the build tools, which may hide missing requirements.
    clean = SCRATCH / "clean"
    session.run("virtualenv", "-q", "--clear", str(clean))
    scripts = clean / ("Scripts" if os.name == "nt" else "bin")
    session.run(f"{scripts}/python", "-m", "pip", "install", "-q", f"{wheel}[cli]", external=True)
    session.run(f"{scripts}/videosdk-transcripts", "--version", external=True)
