"""Canaries in place of secrets, and a watch that searches for them wherever one could leak."""

import asyncio
import base64
import gc
import logging
import pickle
import traceback
import types
import warnings
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jwt
import pytest

from videosdk_transcripts import RetryPolicy, TranscriptsClient, VideoSDKTranscriptsError
from videosdk_transcripts.testing import FakeVideoSDK

KEY: Final = "canary-key"
# Begins with the key, and has characters that differ in URLs and in URL-safe base64.
SECRET: Final = "canary-key/secret+long=enough~~~~~for-hs256-tokens"
TOKEN: Final = jwt.encode({"apikey": KEY, "version": 2, "exp": 4_000_000_000}, SECRET)
OPAQUE: Final = "canary/token+of=another~~~~~make"
USER, PASSWORD = "canary-user", "canary-p@ss/word"
LOGIN: Final = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
SIGNATURE: Final = "canary-signature"
WORDS: Final = "canary words of a meeting"
QUICK: Final = RetryPolicy(attempts=2, wait_initial=0)
FOR_URLS: Final = str.maketrans("+/", "-_")
HERE: Final = str(Path(__file__).parents[1])


async def provide() -> str:
    """Return a token, as a caller's callable does."""
    return TOKEN


CREDENTIALS: Final[dict[str, dict[str, Any]]] = {
    "key and secret": {"api_key": KEY, "secret": SECRET},
    "ready token": {"token": TOKEN},
    "function": {"token": provide},
}


# Places where a secret could leak.


def forms(secret: str) -> Iterator[str]:
    """Iterate over the forms of a secret: plain, in parts, percent-encoded and in base64."""
    for part in {secret, *(p for p in secret.split(".") if len(p) > 8)}:
        yield from (part, quote(part, safe=""), "".join(f"%{byte:02x}" for byte in part.encode()))
        for before in range(3):
            encoded = base64.b64encode(bytes(before) + part.encode())
            # Without the characters that depend on neighbouring bytes.
            plain = encoded[4:-4].decode()
            yield from (plain, plain.translate(FOR_URLS))


def everything(value: object, seen: dict[int, object]) -> Iterator[str]:
    """Iterate over the reprs of a value and of everything that our and aiohttp's objects hold."""
    if id(value) in seen:
        return
    seen[id(value)] = value
    yield repr(value)
    kind = type(value)
    below: list[Any] = []
    if isinstance(value, Mapping):
        below = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset | deque):
        below = list(value)
    elif isinstance(value, types.FunctionType):
        below = [cell.cell_contents for cell in value.__closure__ or ()]
    # The values of a model belong to the caller; its repr must still be safe.
    elif (
        kind.__module__.split(".")[0] in ("videosdk_transcripts", "aiohttp")
        and kind.__module__ != "videosdk_transcripts.models"
    ):
        names = [name for c in kind.__mro__ for name in getattr(c, "__slots__", ())]
        held = {name: getattr(value, name, None) for name in names if name[:2] != "__"}
        below = list({**held, **getattr(value, "__dict__", {})}.values())
    for item in below:
        yield from everything(item, seen)


def chain(error: BaseException) -> list[BaseException]:
    """Return an error with all its causes and contexts."""
    found: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and not any(one is known for known in found):
            found.append(one)
            left += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    return found


def frames_beyond(error: BaseException) -> types.TracebackType | None:
    """Return the traceback of an error without the test's own frames, which hold the secrets."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(HERE):
        frames = frames.tb_next
    return frames


def report(error: BaseException) -> str:
    """Return an error with all its causes, as an error tracker records it."""
    parts: list[str] = []
    for one in chain(error):
        bare = one.with_traceback(frames_beyond(one))
        parts += [repr(one), str(one), repr(vars(one)), *traceback.format_exception(bare)]
        found = traceback.TracebackException.from_exception(bare, capture_locals=True)
        parts += found.format(chain=False)
        if isinstance(one, VideoSDKTranscriptsError):
            parts.append(pickle.dumps(one).decode("latin-1"))
    return "\n".join(parts)


def shown(error: BaseException) -> str:
    """Return the report of an error, and everything that its frames hold."""
    parts = [report(error)]
    seen: dict[int, object] = {}
    for one in chain(error):
        for frame, _ in traceback.walk_tb(frames_beyond(one)):
            for value in frame.f_locals.values():
                parts += everything(value, seen)
    return "\n".join(parts)


def found_in(text: str, more: tuple[str, ...] = ()) -> set[str]:
    """Return the canaries that a text contains in any form."""
    text = text.lower()
    rest = SECRET.removeprefix(KEY)
    secrets = (KEY, SECRET, rest, TOKEN, OPAQUE, USER, PASSWORD, SIGNATURE, WORDS, *more)
    return {secret for secret in secrets for form in forms(secret) if form.lower() in text}


class Watch:
    """Records logs, warnings and output while a test runs, and searches them for canaries."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        self.contexts: list[dict[str, Any]] = []
        self.warned: list[warnings.WarningMessage] = []
        self._caplog, self._capfd = caplog, capfd

    def leaks(self, *what: object, of: tuple[str, ...] = ()) -> set[str]:
        """Return the canaries in errors, objects, logs, warnings, output or files."""
        gc.collect()
        parts = [repr(self.contexts), *(str(w.message) for w in self.warned)]
        parts += [*self._capfd.readouterr(), *(p.read_text() for p in Path.cwd().iterdir())]
        for context in self.contexts:
            parts += everything(list(context.values()), {})
        for record in self._caplog.get_records("call"):
            parts += [record.getMessage(), repr(vars(record))]
            if record.exc_info and record.exc_info[1]:
                parts.append(shown(record.exc_info[1]))
        for one in what:
            parts += [shown(one)] if isinstance(one, BaseException) else everything(one, {})
        return found_in("\n".join(parts), of)


@pytest.fixture
async def watch(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> AsyncIterator[Watch]:
    """Return a watch over a loop that logs every slow callback, in an empty directory."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = 0
    found = Watch(caplog, capfd)
    loop.set_exception_handler(lambda _loop, context: found.contexts.append(context))
    # Objects that exist already are not searched by each garbage collection.
    gc.freeze()
    with warnings.catch_warnings(record=True, action="always") as found.warned:
        yield found
    gc.unfreeze()


@pytest.fixture
async def service() -> AsyncIterator[FakeVideoSDK]:
    """Return a fake whose key, secret and transcript text are canaries."""
    async with FakeVideoSDK(api_key=KEY, secret=SECRET) as fake:
        url = f"https://cdn.videosdk.live/t.txt?X-Amz-Signature={SIGNATURE}"
        urls = {"transcriptionFilePaths": {"txt": url}, "summarizedFilePaths": {"txt": url}}
        fake.add_transcriptions(45, **urls, webhookUrl=url, text=WORDS)
        yield fake


def minted(fake: FakeVideoSDK) -> tuple[str, ...]:
    """Return the tokens that were sent."""
    return tuple({seen.headers["Authorization"] for seen in fake.requests})


async def failure(step: Awaitable[object]) -> Any:
    """Return the error that a step raises."""
    kinds = (VideoSDKTranscriptsError, TimeoutError, asyncio.CancelledError, RuntimeError)
    with pytest.raises(kinds) as caught:
        await step
    return caught.value


async def walk(client: TranscriptsClient, **options: Any) -> list[str]:
    """Return the ids of a whole walk."""
    return [t.id async for t in client.iter_transcriptions(**options)]
