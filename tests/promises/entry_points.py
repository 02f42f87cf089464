"""
Every public entry point and its parameters, found by introspection, with values to pass.

A new parameter fails `test_every_parameter_is_known` until it has an entry in `KINDS`.
"""

import inspect
from collections.abc import AsyncIterable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from attrs import frozen

import videosdk_transcripts
from videosdk_transcripts import Clock, RetryPolicy, Transcript, TranscriptsClient, Turn
from videosdk_transcripts.testing import FakeVideoSDK

ROOM: Final = "abcd-efgh-ijkl"
SESSION: Final = "64f1a2b3c4d5e6f708192a3b"
# Requests are not sent by these, and they take no argument that a caller may get wrong.
_WITHOUT_ARGUMENTS: Final = {"aclose"}


@frozen
class Parameter:
    """A parameter of an entry point."""

    owner: str
    name: str
    kind: str
    is_optional: bool
    """Whether None is accepted."""

    def __str__(self) -> str:
        return f"{self.owner}({self.name})"


# The kind of each parameter, by its name or by that of its entry point and its own.
KINDS: Final = {
    "TranscriptsClient.api_key": "credential",
    "TranscriptsClient.secret": "credential",
    "TranscriptsClient.token": "token",
    "TranscriptsClient.session": "session",
    "api_key": "credential",
    "secret": "credential",
    "endpoint": "endpoint",
    "retry": "object",
    "clock": "object",
    "ssl": "TLS",
    "trace_configs": "objects",
    "max_in_flight": "count",
    "max_response_bytes": "count",
    "max_file_bytes": "count",
    "file_hosts": "hosts",
    "webhook_public_key": "key",
    "public_key": "key",
    "requests_per_second": "seconds",
    "proxy": "proxy",
    "trust_env": "flag",
    "room_id": "id",
    "session_id": "id",
    "transcription_id": "id",
    "participant_id": "id",
    "language": "id",
    "model_id": "id",
    "transcription": "row",
    "wait_until_ready.transcription": "row or id",
    "transcriptions": "rows",
    "turns": "turns",
    "names": "names",
    "since": "time",
    "until": "time",
    "follow.since": "word",
    "rate_limiter": "limiter",
    "limit": "count",
    "page": "count",
    "page_size": "count",
    "max_empty_pages": "count",
    "readahead": "count",
    "concurrency": "count",
    "walk_timeout": "seconds",
    "timeout": "seconds",
    "poll": "seconds",
    "grace": "seconds",
    "gap": "seconds",
    "full_scan_interval": "seconds",
    "lifetime": "seconds",
    "now": "seconds",
    "on_unverified": "word",
    "on_invalid": "word",
    "consistency": "word",
    "errors": "word",
    "parse_transcript.format": "word",
    "format": "format",
    "formats": "formats",
    "permissions": "words",
    "roles": "words",
    "resume": "checkpoint",
    "start_transcription.summary": "prompt",
    "summary": "flag",
    "overwrite": "flag",
    "times": "flag",
    "webhook_url": "URL",
    "directory": "directory",
    "raw_body": "body",
    "signature": "signature",
    "text": "text",
    "attempts": "count",
    "statuses": "statuses",
    "files_via_proxy": "flag",
    "once": "flag",
    "wait_initial": "seconds",
    "wait_max": "seconds",
    "max_retry_after": "seconds",
    "attempt_timeout": "seconds",
    "page_timeout": "seconds",
    "json_loads": "function",
    "monotonic": "function",
    "time": "function",
    "sleep": "function",
}

_OTHERS: Final = [object(), {"a": 1}, timedelta(1), int, len]
_NUMBERS: Final = ["5", b"5", [5], True, float("nan"), -1, 10**400, *_OTHERS]
_TEXTS: Final = [5, 1.5, True, b"text", ["text"], *_OTHERS]

# Values that an argument of the kind must not have.
WRONG: Final[Mapping[str, list[Any]]] = {
    "credential": [*_TEXTS, "", " \n"],
    "token": [5, 1.5, True, b"token", ["token"], {"a": 1}, object(), "", "a b", "Bearer abc"],
    "session": [*_TEXTS, "x"],
    "endpoint": [*_TEXTS, "", "api.videosdk.live", "ftp://x", "https://h?x=1"],
    "object": [*_TEXTS, "x", 0, ""],
    "TLS": [5, "x", b"x", 0, None, *_OTHERS],
    "objects": [5, "x", b"x", [5], object(), len, {"a": 1}],
    "hosts": [5, "h.example", b"h.example", [5], [None], [""], ["h.example/x"], object(), len],
    "key": [*_TEXTS, "", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "-----BEGIN PUBLIC KEY-----"],
    "proxy": [*_TEXTS, "ftp://h:1"],
    "count": _NUMBERS,
    "seconds": _NUMBERS,
    "flag": ["false", "", 0, 1, [], *_OTHERS],
    "id": [*_TEXTS, "", " ", "a b", "a\n", "..", "https://h.example/x"],
    "row": [*_TEXTS, "id", Turn("Ann", "Yes.")],
    "row or id": [*_TEXTS, "", "a b", Turn("Ann", "Yes.")],
    "rows": [5, "x", [], object(), AsyncIterable],
    "turns": [5, "x", [5], ["x"], object(), Transcript("txt", ()), len],
    "names": [5, "x", ["x"], {"Ann": 5}, {5: "Ann"}, object()],
    "word": [*_TEXTS, "", "other"],
    "words": [5, "crawler", ["other"], [5], object(), len],
    "format": [*_TEXTS, "", "a/b", "x" * 300],
    "formats": [5, "txt", b"txt", [5], [None], [""], ["../txt"], object(), len],
    "checkpoint": [*_TEXTS, "", "x", "{}", "[]", "null"],
    "prompt": [5, 1.5, b"text", ["text"], "", " ", *_OTHERS],
    "URL": [*_TEXTS, "", "h.example", "ftp://h.example", "https://[", "https://"],
    "directory": [5, b"there", ["there"], "a\ud800", "a\0b", Path("a\ud800"), *_OTHERS],
    "body": [5, "{}", ["x"], bytearray(b"{}"), *_OTHERS],
    "signature": [5, b"c2ln", ["x"], *_OTHERS],
    "text": _TEXTS,
    "time": [5, "x", "", b"2026-01-01", ["2026-01-01"], *_OTHERS],
    "limiter": [5, "x", [], object(), RetryPolicy],
    "statuses": [5, "425", [True], ["425"], [425.0], [200], [600], object(), len],
    "function": [5, "x", [], object()],
}


@frozen
class EntryPoint:
    """A public callable: a method of the client, a class that takes options, or a function."""

    name: str
    """The name of a function or a class, or ``client.`` and that of a method."""
    parameters: tuple[Parameter, ...]
    is_method: bool

    def __str__(self) -> str:
        return self.name


def _entry_point(name: str, function: Callable[..., Any], *, is_method: bool) -> EntryPoint:
    found = inspect.signature(function).parameters.values()
    label = f"client.{name}" if is_method else name
    parameters = [
        Parameter(
            label,
            one.name,
            KINDS.get(f"{name}.{one.name}") or KINDS.get(one.name, ""),
            one.default is None or "None" in str(one.annotation),
        )
        for one in found
        if one.name != "self"
    ]
    return EntryPoint(label, tuple(parameters), is_method)


def entry_points() -> list[EntryPoint]:
    """Return all of them."""
    methods = {
        name: value
        for name, value in vars(TranscriptsClient).items()
        if inspect.isfunction(value) and name[0] != "_" and name not in _WITHOUT_ARGUMENTS
    }
    classes = (TranscriptsClient, RetryPolicy, Clock)
    functions = {
        name: value
        for name in videosdk_transcripts.__all__
        if inspect.isfunction(value := getattr(videosdk_transcripts, name)) or value in classes
    }
    return [
        *(_entry_point(name, value, is_method=True) for name, value in methods.items()),
        *(_entry_point(name, value, is_method=False) for name, value in functions.items()),
    ]


ENTRY_POINTS: Final = {one.name: one for one in entry_points()}
PARAMETERS: Final = [one for entry in ENTRY_POINTS.values() for one in entry.parameters]


class Stage:
    """
    A fake service with a row in each state, a client of it, and valid arguments.

    Args:
        fake: a service that has just been started.
        client: a client of it.
        directory: an empty directory.
    """

    def __init__(self, fake: FakeVideoSDK, client: TranscriptsClient, directory: Path) -> None:
        self.fake, self.client = fake, client
        row = fake.add_transcription(room_id=ROOM, session_id=SESSION)
        for summary in (False, True):
            fake.files.put(row, "txt", b"Ann: Yes.", summary=summary)
        fake.add_transcription(room_id="busy-room", status="running", formats=(), duration=None)
        post = fake.add_post_transcription(room_id=ROOM, session_id=SESSION)
        raw_body, headers = fake.webhooks.event("transcription-stopped", row)
        self._row = row
        self._values: dict[str, Any] = {
            "TranscriptsClient.api_key": fake.api_key,
            "TranscriptsClient.secret": fake.secret,
            "api_key": "key",
            "secret": "a-secret-of-more-than-32-bytes-for-hs256",
            "endpoint": fake.url,
            "file_hosts": (fake.url,),
            "webhook_public_key": fake.webhooks.public_key,
            "public_key": fake.webhooks.public_key,
            "proxy": fake.url,
            "room_id": ROOM,
            "start_transcription.room_id": "idle-room",
            "stop_transcription.room_id": "busy-room",
            "session_id": SESSION,
            "transcription_id": row["id"],
            "get_post_transcription.transcription_id": post["id"],
            "wait_until_ready.transcription": row["id"],
            "participant_id": "participant",
            "language": "en-US",
            "model_id": "nova",
            "turns": (Turn("Ann", "Yes.", 0, 1),),
            "names": {"Ann": "Anna"},
            "on_unverified": "yield",
            "on_invalid": "skip",
            "consistency": "once",
            "follow.since": "start",
            "since": "2020-01-01",
            "until": "2090-01-01",
            "errors": "strict",
            "format": "txt",
            "formats": ("txt",),
            "permissions": ("allow_join",),
            "roles": ("crawler",),
            "start_transcription.summary": "In one sentence.",
            "webhook_url": "https://hooks.example/x",
            "directory": str(directory / "new"),
            "raw_body": raw_body,
            "signature": headers["videosdk-signature"],
            "text": "Ann: Yes.",
            "now": 1_800_000_000,
        }

    def value(self, parameter: Parameter) -> Any:
        """Return a valid value; None if the parameter can't have a string."""
        owner, name = parameter.owner.removeprefix("client."), parameter.name
        if parameter.kind == "checkpoint":
            options = {"since": "2020-01-01", "until": "2090-01-01"}
            options = {"since": "start"} if owner == "follow" else options
            return getattr(self.client, owner)(ROOM, SESSION, **options).checkpoint
        return self._values.get(f"{owner}.{name}", self._values.get(name))

    async def prepare(self) -> None:
        """Read the row that some calls take."""
        row = await self.client.get_transcription(self._row["id"])
        self._values["transcription"] = row
        self._values["transcriptions"] = _Rows(row)
        self.fake.requests.clear()
        self.fake.files.requests.clear()

    async def call(self, entry: EntryPoint, **changed: Any) -> Any:
        """Call an entry point with valid arguments, except for those that are passed."""
        arguments = {one.name: self.value(one) for one in entry.parameters}
        if "token" in changed:
            arguments["api_key"] = arguments["secret"] = None
        arguments |= changed
        arguments = {
            name: value for name, value in arguments.items() if value is not None or name in changed
        }
        target = self.client if entry.is_method else videosdk_transcripts
        function = getattr(target, entry.name.removeprefix("client."))
        return await _first(function(**arguments))


class _Rows:
    """An asynchronous iterable of one row."""

    def __init__(self, row: Any) -> None:
        self._row = row

    async def __aiter__(self) -> Any:
        yield self._row


async def _first(result: Any) -> Any:
    """Return a result: that of an awaitable, or the first one of a stream."""
    if inspect.iscoroutine(result):
        return await result
    if isinstance(result, TranscriptsClient):
        async with result:
            return await result.count(ROOM)
    if not isinstance(result, AsyncIterable):
        return result
    async with result:  # type: ignore[attr-defined]
        with suppress(StopAsyncIteration):
            return await anext(aiter(result))
