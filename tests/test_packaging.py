"""The package as a whole: its names, its layers, its weight, its licence."""

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
PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))

# design: who may import what of the five libraries.
OWNERS = {
    "aiohttp": {
        "client.py",
        "_body.py",
        "_failure.py",
        "_file_transport.py",
        "_session.py",
        "_transport.py",
        "testing",
    },
    "tenacity": {"_retry.py"},
    # The fake service judges tokens, and must not do so with the client's own code.
    "jwt": {"auth.py", "testing"},
    "cattrs": {"_converter.py"},
    "pytest": {"pytest_plugin.py"},
}
EXTRAS = {"click", "rich", "cryptography", "fsspec", "pyarrow", "distributed"}
# From the ground up; a file imports from lines above its own, and from no other.
FLOORS = [
    {
        "_depth.py",
        "_disguise.py",
        "_limit.py",
        "_lock.py",
        "_recent.py",
        "_shape.py",
        "_text.py",
        "pytest_plugin.py",
    },
    {"_pace.py", "errors.py", "models.py"},
    {
        "_arguments.py",
        "_failure.py",
        "_guards.py",
        "_hosts.py",
        "_part.py",
        "_rows.py",
        "_signature.py",
        "_transient.py",
        "auth.py",
    },
    {
        "_converter.py",
        "_environment.py",
        "_filter.py",
        "_proxy.py",
        "_retry.py",
        "_rounds.py",
        "webhooks.py",
    },
    {
        "_body.py",
        "_checkpoint.py",
        "_followed.py",
        "_protocol.py",
        "_readahead.py",
        "_rescan.py",
        "_session.py",
        "_wait.py",
    },
    {
        "_envelope.py",
        "_file_transport.py",
        "_follow.py",
        "_seen.py",
        "_transport.py",
        "_webhook_key.py",
    },
    {"_files.py", "_walk.py"},
    {"_download.py", "_verify.py"},
    {"_downloads.py", "_pager.py"},
    {"_options.py", "_writes.py"},
    {"_posts.py"},
    {"client.py"},
    {"__init__.py"},
]
# A part of its own, of which the core uses nothing but what `__init__.py` offers to users.
PARSING = [
    {"_lines.py", "_times.py", "_turns.py"},
    {"_labels.py", "_markup.py", "_whisper.py"},
    {"_cells.py", "_cues.py", "_subtitles.py"},
    {"_parse.py"},
    {"__init__.py"},
]


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, its own package's with a leading dot."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_has_its_owners(path: Path) -> None:
    """One file knows HTTP, one tenacity, one cattrs and one PyJWT."""
    place = path.relative_to(PACKAGE).parts[0]
    used = {name.partition(".")[0] for name in imports(path)} & OWNERS.keys()
    assert {library for library in used if place not in OWNERS[library]} == set()


@pytest.mark.parametrize(
    ("folder", "floors"),
    [(PACKAGE, FLOORS), (PACKAGE / "parsing", PARSING)],
    ids=["core", "parsing"],
)
def test_imports_point_down(folder: Path, floors: list[set[str]]) -> None:
    """No file imports one of its own floor or of one above."""
    files = {path.name for path in folder.glob("*.py")}
    assert files == set().union(*floors)
    for number, floor in enumerate(floors):
        below = {f".{Path(name).stem}" for lower in floors[:number] for name in lower}
        below |= {".parsing"} if number == len(floors) - 1 else set()
        for name in floor:
            own = {module for module in imports(folder / name) if module.startswith(".")}
            # The fixed order within the ground: errors stand alone, models need none.
            assert own <= below, f"{name} imports {own - below}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_says_what_others_take_from_it(path: Path) -> None:
    """What one file of the package imports from another is in that one's `__all__`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            prefix = ".".join(["videosdk_transcripts", *path.relative_to(PACKAGE).parts[:-1]])
            module = importlib.import_module(f"{prefix}.{node.module}")
            assert {alias.name for alias in node.names} <= set(module.__all__)


def test_no_file_is_long() -> None:
    """What does not fit on a few screens has two purposes."""
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in FILES}
    # The client is the face, with a method and its description for all that a user asks for.
    del lengths["client.py"]
    assert {name: length for name, length in lengths.items() if length > 350} == {}


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_the_command_line_uses_the_public_names_alone(path: Path) -> None:
    """What it needs, others need as well."""
    ours = {name for name in imports(path) if name.startswith("videosdk_transcripts")}
    assert ours <= {"videosdk_transcripts", "videosdk_transcripts.testing"}


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
