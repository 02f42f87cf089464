"""The package as a whole: its names, its map, its weight, its licence."""

import ast
import importlib
import pickle
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, metadata, requires, version
from pathlib import Path

import pytest

import videosdk_transcripts

PACKAGE = Path(videosdk_transcripts.__file__).parent
ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SUBPACKAGES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))

EXTRAS = {"click", "rich", "dotenv", "cryptography", "fsspec", "pyarrow", "distributed"}
PROMISES = [f"P{number}" for number in range(1, 17)]


def promise_homes() -> dict[str, str]:
    """Return the table of the contributor docs: promise to module."""
    page = (ROOT / "docs" / "contributing.md").read_text("utf-8")
    rows = re.findall(r"^\| (P\d+) \|[^|]*\| `([\w/]+\.py)` \|", page, re.MULTILINE)
    return dict(rows)


def test_each_promise_has_one_home_in_the_table() -> None:
    """All sixteen, in order."""
    assert list(promise_homes()) == PROMISES


@pytest.mark.parametrize("promise", PROMISES)
def test_the_home_of_a_promise_names_it_in_its_docstring(promise: str) -> None:
    """So that a search for the promise finds the code that keeps it."""
    path = PACKAGE / promise_homes()[promise]
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    assert re.search(rf"\b{promise}\b", docstring)


@pytest.mark.parametrize("folder", SUBPACKAGES)
def test_each_subpackage_has_a_map(folder: str) -> None:
    """Its docstring names each of its files, and the promises that have their home there."""
    docstring = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text("utf-8")))
    assert docstring
    files = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    assert {name for name in files if f"`{name}`" not in docstring} == set()
    homes = {promise for promise, home in promise_homes().items() if home.startswith(f"{folder}/")}
    assert {promise for promise in homes if not re.search(rf"\b{promise}\b", docstring)} == set()


def run_fresh(code: str) -> str:
    """Return what some code prints in a process that has loaded nothing yet."""
    command = (sys.executable, "-c", code)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


def loaded_by(code: str) -> set[str]:
    """Return the modules that some code loads in a process of its own."""
    what = "*set(sys.modules).difference(before)"
    return set(run_fresh(f"import sys; before = set(sys.modules)\n{code}\nprint({what})").split())


def test_exported_names() -> None:
    """`__all__` is sorted, and is all that is public."""
    names = videosdk_transcripts.__all__
    for name in dir(videosdk_transcripts):
        getattr(videosdk_transcripts, name)  # from then on each is a variable like any other
    public = {
        name
        for name, value in vars(videosdk_transcripts).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "").startswith("videosdk_transcripts.")
    }
    assert sorted(names) == sorted(set(names)) == sorted(public)


def test_every_public_name_is_described() -> None:
    """With a docstring of its own, and so is each public member of the classes."""
    for name in videosdk_transcripts.__all__:
        public = getattr(videosdk_transcripts, name)
        assert public.__doc__, name
        for member, value in vars(public).items():
            if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                assert value.__doc__, f"{name}.{member}"


def test_the_version_is_that_of_the_metadata() -> None:
    """Looked up when asked for, and nothing else is."""
    assert videosdk_transcripts.__version__ == version("videosdk-transcripts") == "0.1.0"
    assert PROJECT["project"]["version"] == "0.1.0"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = videosdk_transcripts.nothing


def test_the_package_is_typed_and_free() -> None:
    """The marker and the licence travel with it."""
    assert (PACKAGE / "py.typed").exists()
    assert metadata("videosdk-transcripts")["License-Expression"] == "MIT"


def test_the_core_needs_five_libraries() -> None:
    """All others are extras."""
    core = [line for line in requires("videosdk-transcripts") or [] if "extra ==" not in line]
    names = {re.split(r"[^\w-]", line)[0].lower() for line in core}
    assert names == {"aiohttp", "attrs", "cattrs", "pyjwt", "tenacity"}


def test_checkers_see_the_names_where_they_are_loaded_from() -> None:
    """What is loaded when it is used is imported outright for them, from the same files."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    seen = {
        alias.name: f".{node.module}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == videosdk_transcripts._HOMES


def test_the_import_is_light() -> None:
    """No library, no server and no command line is loaded until it is used."""
    heavy = {"aiohttp", "asyncio", "attr", "cattrs", "jwt", "tenacity", *EXTRAS}
    loaded = loaded_by("import videosdk_transcripts; dir(videosdk_transcripts)")
    assert {name for name in loaded if name.startswith("videosdk_transcripts")} == {
        "videosdk_transcripts",
        "videosdk_transcripts._redact",
        "videosdk_transcripts.errors",
    }
    assert loaded & heavy == set()


def test_the_client_is_light() -> None:
    """It loads the five libraries, and no extra, server or command line."""
    loaded = loaded_by("from videosdk_transcripts import TranscriptsClient")
    ours = {"videosdk_transcripts.cli", "videosdk_transcripts.testing"}
    # PyJWT loads cryptography by itself, where it is there.
    assert loaded & (ours | EXTRAS - {"cryptography"}) == set()
    assert "aiohttp" in loaded


@pytest.mark.parametrize(
    "code",
    [
        "from videosdk_transcripts import *; found = globals()",
        "import videosdk_transcripts as v; found = {name: getattr(v, name) for name in dir(v)}",
        "import inspect, videosdk_transcripts as v; found = dict(inspect.getmembers(v))",
    ],
    ids=["star", "dir", "inspect"],
)
def test_all_names_are_found_before_they_are_loaded(code: str) -> None:
    """By whoever asks a module what it has: a star, a prompt, a tool for documentation."""
    found = run_fresh(f"{code}\nprint(*found)").split()
    assert set(videosdk_transcripts.__all__) <= set(found)


def test_threads_may_be_the_first_to_use_a_name() -> None:
    """Several at once, each another one of those that are loaded then, and all of the same."""
    code = (
        "import threading, videosdk_transcripts as v\n"
        "names = [*v._HOMES, *v._HOMES]\n"
        "start, found = threading.Barrier(len(names)), []\n"
        "def use(name):\n"
        "    start.wait()\n"
        "    found.append((name, getattr(v, name)))\n"
        "threads = [threading.Thread(target=use, args=(name,)) for name in names]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "print(len(found), len(set(found)), all(value.__name__ == name for name, value in found))"
    )
    count = len(videosdk_transcripts._HOMES)
    assert run_fresh(code) == f"{2 * count} {count} True\n"


def test_a_pickle_may_be_the_first_to_use_a_name() -> None:
    """Another process reads a row before it has named a class of ours."""
    row = videosdk_transcripts.Transcription(id="abc", status="completed")
    code = f"import pickle; print(pickle.loads({pickle.dumps(row)!r}).is_completed)"
    assert run_fresh(code) == "True\n"


def test_the_files_behind_the_names_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As type checkers have it, also where no name of theirs was used yet."""
    models = importlib.import_module("videosdk_transcripts.models")
    monkeypatch.delattr(videosdk_transcripts, "models")
    assert videosdk_transcripts.models is models
    assert run_fresh("import videosdk_transcripts as v; print(v.client.__name__)") == (
        "videosdk_transcripts.client\n"
    )


def test_the_entry_point() -> None:
    """The command is what the package installs."""
    (command,) = entry_points(group="console_scripts", name="videosdk-transcripts")
    assert command.value == "videosdk_transcripts.cli:main"
