"""The examples of the README and of the docs run, and print the documented output."""

import ast
import asyncio
import contextlib
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from attrs import frozen

import videosdk_transcripts
from videosdk_transcripts import TranscriptsClient, errors, export, testing
from videosdk_transcripts.testing import FakeVideoSDK, fill_sandbox

from .cli.command_line import Run

ROOT = Path(__file__).parent.parent
ROOM_ID = "abcd-efgh-ijkl"
SESSION_ID = "64f1a2b3c4d5e6f708192a3b"

# A code block, and the text block directly below it, which is its output.
BLOCK = re.compile(
    r"^```(?P<language>python|console)\n(?P<code>.*?)^```\n"
    r"(?:\n```text\n(?P<prints>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)

SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


@frozen
class Example:
    """One code block of a page."""

    name: str
    line: int
    code: str
    prints: str | None

    def __str__(self) -> str:
        return f"{self.name}:{self.line}"


def examples(language: str) -> Iterator[Example]:
    """Iterate over the code blocks of a language, page by page."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        text = path.read_text("utf-8")
        for block in BLOCK.finditer(text):
            if block["language"] == language:
                line = text.count("\n", 0, block.start("code")) + 1
                yield Example(path.name, line, block["code"], block["prints"])


SCRIPTS = [example for example in examples("python") if "def test_" not in example.code]
TESTS = [example for example in examples("python") if "def test_" in example.code]
COMMANDS = list(examples("console"))


@pytest.fixture(autouse=True)
def _documented_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the meetings of the sandbox end on the day of the documented output."""
    now = datetime(2026, 3, 20, 10, 0, tzinfo=UTC)
    monkeypatch.setattr("videosdk_transcripts.testing._sandbox._now", lambda _fake: now)


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeVideoSDK]:
    """Serve the rooms that the pages name, and configure the environment for the service."""
    async with FakeVideoSDK() as fake:
        fill_sandbox(fake)
        fake.add_transcriptions(45, room_id=ROOM_ID, session_id=SESSION_ID)
        for row in fake.rows:
            for name in row.get("transcriptionFilePaths", ()):
                fake.files.put(row, name, b"Ann: Good morning.")
            if "summarizedFilePaths" in row:
                fake.files.put(row, "txt", b"They met.", summary=True)
        monkeypatch.setenv("VIDEOSDK_API_ENDPOINT", fake.url)
        monkeypatch.setenv("VIDEOSDK_API_KEY", fake.api_key)
        monkeypatch.setenv("VIDEOSDK_SECRET", fake.secret)
        monkeypatch.setenv("VIDEOSDK_FILE_HOSTS", fake.url)
        yield fake


def test_pages_have_examples() -> None:
    """Otherwise the tests below would pass without a single example."""
    assert {"README.md", "tutorial.md", "paging.md"} <= {e.name for e in SCRIPTS}
    assert {"testing.md"} == {e.name for e in TESTS}
    assert {"installation.md", "command-line.md"} == {e.name for e in COMMANDS}


@pytest.mark.tool
def test_pictures_are_drawn_from_real_runs(tmp_path: Path) -> None:
    """Each picture of the docs is drawn again, and is a document with a title."""
    folder = ROOT / "docs" / "pictures"
    command = [sys.executable, folder / "make.py", tmp_path]
    # Otherwise the modules next to a program are not found.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    subprocess.run(command, check=True, timeout=60, env=environment)  # noqa: S603
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {path.name for path in folder.glob("*.svg")}
    for path in tmp_path.iterdir():
        root = ET.parse(path).getroot()  # noqa: S314 - drawn by this repository
        assert (root.tag, root.get("role")) == ("{http://www.w3.org/2000/svg}svg", "img")
        assert root.findtext("{http://www.w3.org/2000/svg}title")


def test_guarantees_name_existing_tests() -> None:
    """Each promise names at least one test, and each named test exists."""
    page = (ROOT / "docs" / "project" / "guarantees.md").read_text("utf-8")
    sections = re.split(r"^## (P\d+) ", page, flags=re.MULTILINE)[1:]
    assert sections[::2] == [f"P{number}" for number in range(1, 17)]
    for number, section in zip(sections[::2], sections[1::2], strict=True):
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", section)
        assert named, f"{number} names no test"
        for path, name in named:
            assert re.search(
                rf"^(?:async )?def {name}\b", (ROOT / path).read_text("utf-8"), re.MULTILINE
            )


def test_reference_has_every_public_name_once() -> None:
    """Each has one entry, on the page of its topic, and one line in the list of all names."""
    entries: list[str] = []
    listed: list[str] = []
    for path in (ROOT / "docs" / "reference").glob("*.md"):
        module = ""
        for line in path.read_text("utf-8").splitlines():
            if line.startswith(".. currentmodule:: "):
                module = line.split()[-1]
            elif entry := re.match(r"\.\. auto(?:class|data|exception|function):: (\w+)", line):
                entries.append(f"{module}.{entry[1]}")
            elif path.name == "index.md" and (name := re.fullmatch(r"   (\w+)", line)):
                listed.append(f"{module}.{name[1]}")
    public = [
        f"{module.__name__}.{name}"
        for module in (videosdk_transcripts, testing, export)
        for name in module.__all__
    ]
    assert sorted(public) == sorted(entries)
    assert sorted(public) == sorted(listed)


def test_errors_have_headings() -> None:
    """A link to an error leads to its heading; the order is that of the tree."""
    page = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    tree = re.findall(r"^ .*?(\w+Error)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(errors.__all__) == sorted(tree)
    assert tree == re.findall(r"^### (\w+Error)$", page, re.MULTILINE)
    assert tree == re.findall(r"^\.\. autoexception:: (\w+)", page, re.MULTILINE)


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("example", SCRIPTS, ids=str)
async def test_script(example: Example) -> None:
    """A script runs unchanged, its assertions hold and its output is the documented one."""
    # The empty lines make line numbers in a traceback match the page.
    code = compile(
        "\n" * (example.line - 1) + example.code,
        example.name,
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    printed = io.StringIO()
    async with TranscriptsClient() as client:
        names = {"client": client, "room_id": ROOM_ID, "session_id": SESSION_ID}
        with contextlib.redirect_stdout(printed):
            if code.co_flags & inspect.CO_COROUTINE:
                await eval(code, names)  # noqa: S307 - our own pages
            else:
                # The script may call asyncio.run itself.
                await asyncio.to_thread(exec, code, names)
    if example.prints is not None:
        assert example.prints == printed.getvalue()


def test_example_tests(tmp_path: Path) -> None:
    """The documented tests pass, each in a separate file."""
    for example in TESTS:
        name = f"test_{example.name.removesuffix('.md').replace('-', '_')}_{example.line}.py"
        (tmp_path / name).write_text(example.code, "utf-8")
    (tmp_path / "pytest.ini").write_text(SETTINGS, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert f"{len(TESTS)} passed" in done.stdout, done.stdout


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("example", COMMANDS, ids=str)
async def test_command(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """A command exits with 0 and prints the documented output."""
    fake_env = [f"{name}={value}" for name, value in _variables().items()]
    (tmp_path / "videosdk.env").write_text("\n".join(fake_env), "utf-8")
    monkeypatch.chdir(tmp_path)
    for part in re.split(r"^\$ ", example.code, flags=re.MULTILINE)[1:]:
        command, _, prints = part.partition("\n")
        program, *arguments = shlex.split(command)
        assert program == "videosdk-transcripts"
        # Both streams are combined, as on a terminal.
        shown = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
            # The command calls asyncio.run itself.
            outcome = await asyncio.to_thread(run, *arguments)
        output = shown.buffer.getvalue().decode()
        assert outcome.code == 0, output
        if prints:
            # Editors remove the tab before an empty last cell.
            assert [line.rstrip() for line in prints.splitlines()] == [
                line.rstrip() for line in output.splitlines()
            ]


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("VIDEOSDK_")}
