"""The package as a whole: public names, map, import weight, licence."""

import ast
import importlib
import pickle
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, metadata, requires, version
from pathlib import Path

import aiohttp
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
    page = (ROOT / "docs" / "project" / "contributing.md").read_text("utf-8")
    rows = re.findall(r"^\| (P\d+) \|[^|]*\| `([\w/]+\.py)` \|", page, re.MULTILINE)
    return dict(rows)


def test_table_lists_each_promise_once() -> None:
    """It lists all sixteen, in order."""
    assert list(promise_homes()) == PROMISES


@pytest.mark.parametrize("promise", PROMISES)
def test_home_of_a_promise_names_it_in_its_docstring(promise: str) -> None:
    """A search for the promise must find the code that implements it."""
    path = PACKAGE / promise_homes()[promise]
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    assert re.search(rf"\b{promise}\b", docstring)


@pytest.mark.parametrize("folder", SUBPACKAGES)
def test_docstring_of_a_subpackage_lists_its_files_and_promises(folder: str) -> None:
    """The docstring is the map of the folder."""
    docstring = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text("utf-8")))
    assert docstring
    files = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    assert {name for name in files if f"`{name}`" not in docstring} == set()
    homes = {promise for promise, home in promise_homes().items() if home.startswith(f"{folder}/")}
    assert {promise for promise in homes if not re.search(rf"\b{promise}\b", docstring)} == set()


def run_fresh(code: str) -> str:
    """Return the output of code that runs in a new process."""
    command = (sys.executable, "-c", code)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


def loaded_by(code: str) -> set[str]:
    """Return the modules that code loads in a new process."""
    what = "*set(sys.modules).difference(before)"
    return set(run_fresh(f"import sys; before = set(sys.modules)\n{code}\nprint({what})").split())


def test_exported_names() -> None:
    """`__all__` is sorted and complete."""
    names = videosdk_transcripts.__all__
    for name in dir(videosdk_transcripts):
        getattr(videosdk_transcripts, name)  # loads the name, so that `vars` contains it
    public = {
        name
        for name, value in vars(videosdk_transcripts).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "").startswith("videosdk_transcripts.")
    }
    assert sorted(names) == sorted(set(names)) == sorted(public)


def test_every_public_name_has_a_docstring() -> None:
    """Every public member of the classes has one, too."""
    for name in videosdk_transcripts.__all__:
        public = getattr(videosdk_transcripts, name)
        assert public.__doc__, name
        for member, value in vars(public).items():
            if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                assert value.__doc__, f"{name}.{member}"


def test_version_is_that_of_the_distribution() -> None:
    """The constant, the project file and the metadata."""
    assert videosdk_transcripts.__version__ == PROJECT["project"]["version"] == "0.1.0"
    assert version("videosdk-transcripts") == "0.1.0"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = videosdk_transcripts.nothing


def test_package_works_without_metadata(tmp_path: Path) -> None:
    """A vendored copy or a slim bundle lacks the metadata of all distributions."""
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name)
    for entry in Path(aiohttp.__file__).parent.parent.iterdir():
        if entry.suffix not in (".dist-info", ".pth", ".egg-link") and entry.name != PACKAGE.name:
            (tmp_path / entry.name).symlink_to(entry)
    code = f"""
import sys
sys.path.append({str(tmp_path)!r})
import asyncio, contextlib, importlib.metadata, videosdk_transcripts
from videosdk_transcripts import TranscriptsClient, cli
from videosdk_transcripts.testing import FakeVideoSDK

async def main():
    async with FakeVideoSDK() as fake, fake.client() as client:
        fake.files.put(fake.add_transcription(), "txt", b"Ann: Shall we begin?")
        (t,) = [t async for t in client.iter_transcriptions()]
        print(await client.fetch_text(t), fake.requests[0].headers["User-Agent"])

assert list(importlib.metadata.distributions()) == []
print(videosdk_transcripts.__file__, videosdk_transcripts.__version__)
asyncio.run(main())
with contextlib.suppress(SystemExit):
    cli.main(["--version"])
cli.main(["doctor", "--sandbox"])
"""
    # In isolated mode, and without the site-packages of this Python.
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    place, text, shown, *_, versions = done.stdout.splitlines()
    assert place == f"{tmp_path / PACKAGE.name / '__init__.py'} 0.1.0"
    assert text.startswith("Ann: Shall we begin? videosdk-transcripts/0.1.0 aiohttp/3.")
    assert shown == "videosdk-transcripts 0.1.0"
    assert "videosdk-transcripts 0.1.0, aiohttp of unknown version" in versions


def test_package_has_typing_marker_and_licence() -> None:
    """Both are part of the installed package."""
    assert (PACKAGE / "py.typed").exists()
    assert metadata("videosdk-transcripts")["License-Expression"] == "MIT"


def test_core_requires_five_libraries() -> None:
    """All others belong to extras."""
    core = [line for line in requires("videosdk-transcripts") or [] if "extra ==" not in line]
    names = {re.split(r"[^\w-]", line)[0].lower() for line in core}
    assert names == {"aiohttp", "attrs", "cattrs", "pyjwt", "tenacity"}


def test_type_checkers_see_the_lazy_names_in_the_same_modules() -> None:
    """The imports below `TYPE_CHECKING` match the table of lazy names."""
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
    assert seen == videosdk_transcripts._MODULES


def test_import_loads_no_library() -> None:
    """It loads neither a server nor the command line, until they are used."""
    heavy = {"aiohttp", "asyncio", "attr", "cattrs", "jwt", "tenacity", *EXTRAS}
    loaded = loaded_by("import videosdk_transcripts; dir(videosdk_transcripts)")
    assert {name for name in loaded if name.startswith("videosdk_transcripts")} == {
        "videosdk_transcripts",
        "videosdk_transcripts._redact",
        "videosdk_transcripts._version",
        "videosdk_transcripts.errors",
    }
    assert loaded & heavy == set()


def test_client_loads_no_extra() -> None:
    """It loads neither a server nor the command line, but only the five libraries."""
    loaded = loaded_by("from videosdk_transcripts import TranscriptsClient")
    ours = {"videosdk_transcripts.cli", "videosdk_transcripts.testing"}
    # PyJWT itself loads cryptography if it is installed.
    assert loaded & (ours | EXTRAS - {"cryptography"}) == set()
    assert "aiohttp" in loaded


def test_client_that_renews_tokens_loads_pyjwt() -> None:
    """Not in the event loop, where it would delay the first request; a ready token needs none."""
    code = "from videosdk_transcripts import TranscriptsClient as C; C(token={})"
    assert "jwt" not in loaded_by(code.format("'abc'"))
    assert "jwt" in loaded_by(code.format("print"))


@pytest.mark.parametrize(
    "code",
    [
        "from videosdk_transcripts import *; found = globals()",
        "import videosdk_transcripts as v; found = {name: getattr(v, name) for name in dir(v)}",
        "import inspect, videosdk_transcripts as v; found = dict(inspect.getmembers(v))",
    ],
    ids=["star", "dir", "inspect"],
)
def test_lazy_names_are_listed_before_they_are_loaded(code: str) -> None:
    """Star imports, completion at a prompt, and documentation tools need this."""
    found = run_fresh(f"{code}\nprint(*found)").split()
    assert set(videosdk_transcripts.__all__) <= set(found)


def test_lazy_names_can_be_first_used_by_concurrent_threads() -> None:
    """Two threads per name start at the same time."""
    code = (
        "import threading, videosdk_transcripts as v\n"
        "names = [*v._MODULES, *v._MODULES]\n"
        "start, found = threading.Barrier(len(names)), []\n"
        "def use(name):\n"
        "    start.wait()\n"
        "    found.append((name, getattr(v, name)))\n"
        "threads = [threading.Thread(target=use, args=(name,)) for name in names]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "print(len(found), len(set(found)), all(value.__name__ == name for name, value in found))"
    )
    count = len(videosdk_transcripts._MODULES)
    assert run_fresh(code) == f"{2 * count} {count} True\n"


def test_lazy_name_can_be_first_used_by_a_pickle() -> None:
    """Another process unpickles a row without importing its class first."""
    row = videosdk_transcripts.Transcription(id="abc", status="completed")
    code = f"import pickle; print(pickle.loads({pickle.dumps(row)!r}).is_completed)"
    assert run_fresh(code) == "True\n"


def test_submodules_are_attributes_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Type checkers expect this, even before one of their names was used."""
    models = importlib.import_module("videosdk_transcripts.models")
    monkeypatch.delattr(videosdk_transcripts, "models")
    assert videosdk_transcripts.models is models
    assert run_fresh("import videosdk_transcripts as v; print(v.client.__name__)") == (
        "videosdk_transcripts.client\n"
    )


def test_entry_point_is_the_command_line() -> None:
    """It has the name of the distribution."""
    (command,) = entry_points(group="console_scripts", name="videosdk-transcripts")
    assert command.value == "videosdk_transcripts.cli:main"
