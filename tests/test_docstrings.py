"""
The docstrings of the public API are complete, and match the signatures.

`help()` shows what the reference shows, so that a docstring is the one place for a fact.
"""

import ast
import asyncio
import builtins
import contextlib
import functools
import inspect
import io
import re
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from attrs import field, frozen

import videosdk_transcripts
from videosdk_transcripts import TranscriptsClient, errors, export, testing
from videosdk_transcripts.testing import FakeVideoSDK

MODULES = (videosdk_transcripts, testing, export)
ROOM_ID = "abcd-efgh-ijkl"
SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises):$")
ENTRY = re.compile(r"^    (\w+): \S")


@frozen
class Documented:
    """A public function, class, method or property, under the name that users know."""

    name: str
    value: Any = field(repr=False)
    home: type | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        return inspect.getdoc(self.value) or ""

    def entries(self, section: str) -> list[str]:
        """Return the names of the entries of a section."""
        found: list[str] = []
        current = None
        for line in self.text.splitlines():
            if heading := SECTION.match(line):
                current = heading[1]
            elif line and not line.startswith(" "):
                current = None
            elif current == section and (entry := ENTRY.match(line)):
                found.append(entry[1])
        return found

    def description(self, attribute: str) -> str:
        """Return the description of an attribute, empty if it has none here."""
        entry = rf"^    {attribute}: (.*(?:\n(?:        .*)?)*)"
        found = re.search(entry, self.text.partition("Attributes:")[2], re.MULTILINE)
        return " ".join(found[1].split()) if found else ""

    def has(self, section: str) -> bool:
        return bool(re.search(rf"^{section}:$", self.text, re.MULTILINE))


def public(module: ModuleType) -> Iterator[Documented]:
    """Iterate over the public classes and functions of a module."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            yield Documented(f"{module.__name__}.{name}", value)


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """Iterate over the public methods and properties that this package defines in a class."""
    seen = set[str]()
    for base in cls.__mro__:
        if base.__module__.startswith("videosdk_transcripts"):
            for name, value in vars(base).items():
                unwrapped = getattr(value, "__func__", value)
                is_method = inspect.isfunction(unwrapped) or isinstance(value, property)
                if is_method and not name.startswith("_") and name not in seen:
                    seen.add(name)
                    yield name, unwrapped


TOP = [one for module in MODULES for one in public(module)]
CLASSES = [one for one in TOP if inspect.isclass(one.value)]
METHODS = [
    Documented(f"{cls}.{name}", value, cls.value)
    for cls in CLASSES
    for name, value in members(cls.value)
]
CALLABLE = [one for one in TOP + METHODS if inspect.isfunction(one.value)]
ERRORS = [one for one in CLASSES if issubclass(one.value, Exception)]


def parameters(function: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters that a caller passes."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def body_of(value: Any) -> Any:
    """Return the syntax tree of a class or function."""
    return ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]


def attributes(cls: type) -> set[str]:
    """Return the public attributes of the instances of a class, apart from its properties."""
    found: set[str] = set()
    for base in cls.__mro__:
        if attrs.has(base):
            found |= {each.name for each in attrs.fields(base)}
        elif hasattr(base, "_fields"):
            found |= set(base._fields)
        elif base.__module__.startswith("videosdk_transcripts") and "__init__" in vars(base):
            for node in ast.walk(body_of(vars(base)["__init__"])):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    found.add(node.attr)
    return {name for name in found if not name.startswith("_")}


def is_data(cls: type) -> bool:
    """Return whether the attributes of a class are its constructor's parameters."""
    return attrs.has(cls) or issubclass(cls, tuple)


def test_modules_have_public_names() -> None:
    """Otherwise the tests below would pass without a single name."""
    assert {"TranscriptsClient", "parse_transcript"} <= {one.value.__name__ for one in TOP}
    assert len(ERRORS) == len(errors.__all__)
    assert len(METHODS) > 80


@pytest.mark.parametrize("one", TOP + METHODS, ids=str)
def test_first_sentence_is_one_paragraph_that_ends_with_a_full_stop(one: Documented) -> None:
    """Lists of names show the first sentence."""
    first = one.text.partition("\n\n")[0]
    assert re.match(r"[A-Z0-9`]", first)
    assert first.endswith(".")


@pytest.mark.parametrize("one", CALLABLE, ids=str)
def test_parameters_of_functions_are_documented(one: Documented) -> None:
    """The docstring has each parameter, in the order of the signature, and no other."""
    assert one.entries("Args") == parameters(one.value)


@pytest.mark.parametrize("one", CLASSES, ids=str)
def test_parameters_of_constructors_are_documented(one: Documented) -> None:
    """They are in the docstring of the class, or are attributes."""
    if one in ERRORS:
        bases = [Documented("", base) for base in one.value.__mro__ if base is not object]
        documented = {name for base in bases for name in base.entries("Attributes")}
        assert set(parameters(one.value)) <= documented
    elif is_data(one.value):
        assert one.entries("Args") == []
    elif one.value is not export.Engine:
        init = one.value.__init__
        # A subclass may describe the arguments of a constructor that it inherits.
        sharing = [other for other in CLASSES if other.value.__init__ is init]
        documented = [each.entries("Args") for each in (*sharing, Documented("", init))]
        assert parameters(one.value) in documented


@pytest.mark.parametrize("one", CLASSES, ids=str)
def test_attributes_are_documented(one: Documented) -> None:
    """The docstring of the class or a base class has each attribute, and no other."""
    bases = [Documented("", base) for base in one.value.__mro__ if base is not object]
    listed = {name for base in bases for name in base.entries("Attributes")}
    # FakeVideoSDK, which serves a FakeService, describes what its base class sets.
    server = Documented("", FakeVideoSDK)
    is_served = one.value in FakeVideoSDK.__mro__
    arguments = set(server.entries("Args")) if is_served else set[str]()
    listed |= set(server.entries("Attributes")) if is_served else set()
    assert attributes(one.value) - arguments == listed - arguments


@pytest.mark.parametrize("one", [c for c in CLASSES if attrs.has(c.value)], ids=str)
def test_attributes_state_their_unit_and_when_they_are_none(one: Documented) -> None:
    """`help()` shows the type in the signature, and the meaning in the text."""
    for attribute in attrs.fields(one.value):
        text = one.description(attribute.name)
        if text:
            assert text.endswith(".")
            assert "None" in text or not str(attribute.type).endswith("None"), attribute.name
            assert "UTC" in text or "datetime" not in str(attribute.type), attribute.name
            assert re.search("seconds?", text) or "float" not in str(attribute.type), attribute.name


@pytest.mark.parametrize("one", CALLABLE, ids=str)
def test_results_of_functions_with_parameters_are_described(one: Documented) -> None:
    """A function without parameters describes its result in its first sentence."""
    returns = inspect.signature(one.value).return_annotation
    if returns not in ("None", None, "NoReturn") and parameters(one.value):
        assert one.has("Returns") or one.has("Yields")


@pytest.mark.parametrize("one", TOP + METHODS, ids=str)
def test_documented_errors_can_be_caught(one: Documented) -> None:
    """Each is a public error of this package, or a built-in error."""
    for name in one.entries("Raises"):
        found = getattr(videosdk_transcripts, name, None) or getattr(builtins, name, None)
        assert isinstance(found, type)
        assert issubclass(found, BaseException)


@pytest.mark.parametrize("one", CALLABLE, ids=str)
def test_raised_errors_are_documented(one: Documented) -> None:
    """Each error that a function raises itself is documented, or a base class of it is."""
    documented = [
        getattr(videosdk_transcripts, name, None) or getattr(builtins, name)
        for name in one.entries("Raises")
    ]
    for statement in ast.walk(body_of(one.value)):
        if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call):
            name = getattr(statement.exc.func, "id", "")
            raised = getattr(errors, name, None) or getattr(builtins, name, None)
            assert raised is None or issubclass(raised, tuple(documented)), f"raises {name}"


@pytest.mark.parametrize("one", ERRORS, ids=str)
def test_errors_state_what_to_do(one: Documented) -> None:
    """They also state whether the client has retried."""
    lines = one.text.splitlines()
    assert [line for line in lines if line.startswith("Retried: ")]
    assert [line for line in lines if line.startswith("What to do: ")]


def test_the_two_lists_are_described_alike() -> None:
    """The methods have the same arguments, results and errors, but other rows and sources."""
    methods = (TranscriptsClient.iter_transcriptions, TranscriptsClient.iter_post_transcriptions)
    assert parameters(methods[0]) == parameters(methods[1])
    texts = [inspect.getdoc(method) or "" for method in methods]
    shared = [text.partition("\n\n")[2].partition("\nSource: ")[0] for text in texts]
    assert shared[0]
    assert shared[0] == shared[1]


@frozen
class Snippet:
    """An indented block after a double colon in a docstring."""

    name: str
    code: str = field(repr=False)

    def __str__(self) -> str:
        return self.name


def snippets() -> Iterator[Snippet]:
    """Iterate over the examples in docstrings."""
    for one in [Documented("videosdk_transcripts", videosdk_transcripts), *TOP, *METHODS]:
        for block in re.findall(r"::\n\n((?:    .*\n|\n)+)", f"{one.text}\n"):
            yield Snippet(one.name, textwrap.dedent(block))


class Handled(Exception):  # noqa: N818 - not an error
    """An exception that ends an example which would not end by itself."""


@pytest.fixture
async def names() -> AsyncIterator[dict[str, Any]]:
    """Provide the names that the examples use, with rows, files and changes."""

    async def respond(_request: web.Request) -> web.Response:
        return web.Response()

    async def handle(_change: object) -> None:
        raise Handled

    receiver = web.Application()
    receiver.router.add_post("/", respond)
    async with TestServer(receiver) as server, FakeVideoSDK() as fake, fake.client() as client:
        follower = client.follow(ROOM_ID, since="start", once=True)
        assert [change async for change in follower] == []
        row = fake.add_transcription(room_id=ROOM_ID, session_id="s1")
        fake.files.serve_all()
        yield {
            **{name: getattr(module, name) for module in MODULES for name in module.__all__},
            "TranscriptsClient": functools.partial(
                TranscriptsClient, endpoint=fake.url, api_key=fake.api_key, secret=fake.secret
            ),
            "client": client,
            "fake": fake,
            "row": row,
            "room_id": ROOM_ID,
            "session_id": "s1",
            "saved": follower.checkpoint,
            "handle": handle,
            "save": [].append,
            "url": str(server.make_url("/")),
            "record_and_return": asyncio.sleep,
        }


@pytest.mark.parametrize("snippet", list(snippets()), ids=str)
async def test_examples_in_docstrings_run(snippet: Snippet, names: dict[str, Any]) -> None:
    """Each example runs unchanged, with the names that it uses from its context."""
    names["fake"].custom_ids["weekly-sync"] = ROOM_ID
    code = compile(
        snippet.code,
        snippet.name,
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Handled):
        if code.co_flags & inspect.CO_COROUTINE:
            await eval(code, names)  # noqa: S307 - our own docstrings
        else:
            exec(code, names)  # noqa: S102 - our own docstrings


def test_docstrings_have_examples() -> None:
    """Otherwise the test above would pass without a single one."""
    named = {snippet.name for snippet in snippets()}
    assert {"videosdk_transcripts.Follower", "videosdk_transcripts.testing.Webhooks"} <= named
    assert len(named) > 12


def test_errors_page_lists_what_to_do() -> None:
    """The table is also legible where docstrings are not rendered, such as in a clone."""
    page = (Path(__file__).parent.parent / "docs" / "reference" / "errors.md").read_text("utf-8")
    for name, error in vars(errors).items():
        if name in videosdk_transcripts.__all__:
            found = re.search(
                r"What to do: (.*?)(?:\n\n|\Z)", inspect.getdoc(error) or "", re.DOTALL
            )
            assert found, name
            advice = " ".join(found[1].split()).replace("``", "`")
            assert f"| [`{name}`](#{name.lower()}) | {advice} |\n" in page
