"""JSON decoders passed by the caller: their exceptions, and their differences."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import orjson
import pytest

from videosdk_transcripts import (
    ConfigurationError,
    InvalidResponseError,
    InvalidRowError,
    RetryPolicy,
    TranscriptsClient,
)
from videosdk_transcripts.testing import FakeVideoSDK

from ..conftest import read_request, tcp

ONCE = RetryPolicy(attempts=1)


def sending(body: bytes) -> AbstractAsyncContextManager[str]:
    """Serve one body for every request, and return the URL."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    return tcp(talk)


ROOM = "room-1"
DECODERS = [
    pytest.param(None, id="default"),
    pytest.param(orjson.loads, id="orjson"),
    pytest.param(msgspec.json.decode, id="msgspec"),
    pytest.param(partial(json.loads, parse_float=Decimal), id="partial"),
]
FASTER = DECODERS[1:3]


@pytest.mark.parametrize("loads", DECODERS)
async def test_rows_are_those_of_the_default_decoder(loads: Any) -> None:
    """The test covers text in any script, a long list, and the other parts of a walk."""
    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(45, room_id=ROOM)
        async with fake.client(json_loads=loads) as client, fake.client() as usual:
            rows = [row async for row in client.iter_transcriptions(ROOM)]
            assert rows == [row async for row in usual.iter_transcriptions(ROOM)]
            assert await client.get_transcription(rows[0].id) == rows[0]
            assert await client.count(ROOM) == 45


class DecoderError(Exception):
    """An exception of a decoder that holds the document, like those of orjson and json."""


def decoder_raising(error: BaseException) -> Callable[[bytes], Any]:
    """Return a decoder that raises."""

    def loads(body: bytes) -> Any:
        raise error

    return loads


@pytest.mark.parametrize(
    "error", [DecoderError("text"), TypeError(), RecursionError(), StopIteration(), OSError()]
)
async def test_whatever_a_decoder_raises_is_an_unreadable_response(error: Exception) -> None:
    """The error contains only the name of its type, because the exception may hold rows."""
    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(1)
        loads = decoder_raising(error)
        async with fake.client(json_loads=loads, retry=ONCE) as client:
            with pytest.raises(InvalidResponseError, match=type(error).__name__) as caught:
                await client.get_page()
    assert caught.value.__context__ is None
    assert "text" not in str(caught.value)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit()])
def test_cancellation_and_exit_pass_through_a_decoder(error: BaseException) -> None:
    """These exceptions are not failures of the response."""

    async def use() -> None:
        async with FakeVideoSDK() as fake, fake.client(json_loads=decoder_raising(error)) as client:
            await client.get_page()

    with pytest.raises(type(error)):
        asyncio.run(use())


async def test_unreadable_response_is_requested_again() -> None:
    """It is treated like a response that is not JSON."""
    bodies: list[bytes] = []

    def loads(body: bytes) -> Any:
        bodies.append(body)
        if len(bodies) == 1:
            raise DecoderError
        return json.loads(body)

    async with FakeVideoSDK() as fake:
        fake.add_transcriptions(3)
        async with fake.client(json_loads=loads) as client:
            assert len((await client.get_page()).items) == 3
    assert len(bodies) == 2


async def loads_later(body: bytes) -> Any:
    """Decode in a coroutine, which nothing awaits."""
    return json.loads(body)


@pytest.mark.parametrize("loads", ["orjson", 1, b"x" * 40, loads_later])
def test_decoder_must_be_a_function(loads: Any) -> None:
    """The error does not show its value."""
    with pytest.raises(ConfigurationError, match="json_loads must be a function"):
        TranscriptsClient(token="t", json_loads=loads)


# Differences between decoders, as documented in docs/project/performance.md.

DIFFERENCES = {
    # JSON of an undocumented key: what each decoder makes of it; an error if it refuses.
    b"NaN": ("error", "error", "error"),
    b"-Infinity": ("error", "error", "error"),
    b"1e999": (float("inf"), "error", "error"),
    b"18446744073709551615": (2**64 - 1, 2**64 - 1, 2**64 - 1),
    b"18446744073709551616": (2**64, float(2**64), 2**64),
    b'"\\ud800"': ("\ud800", "error", "error"),
    b'"\xed\xa0\x80"': ("\ud800", "error", "error"),
    b'"\xff"': ("error", "error", "error"),
    b'{"a": 1, "a": 2}': ({"a": 2}, {"a": 2}, {"a": 2}),
}


@pytest.mark.parametrize("value", DIFFERENCES)
@pytest.mark.parametrize("index", [0, 1, 2], ids=["default", "orjson", "msgspec"])
async def test_decoders_differ_as_documented(value: bytes, index: int) -> None:
    """The test uses an undocumented key of a row."""
    row = b'{"id": "t-1", "more": ' + value + b"}"
    loads = (None, orjson.loads, msgspec.json.decode)[index]
    expected = DIFFERENCES[value][index]

    async with (
        sending(b'{"transcriptions": [' + row + b"]}") as url,
        TranscriptsClient(token="t", endpoint=url, json_loads=loads, retry=ONCE) as client,
    ):
        if expected == "error":
            with pytest.raises(InvalidResponseError):
                await client.get_page()
        else:
            page = await client.get_page()
            assert page.items[0].extra == {"more": expected}


@pytest.mark.parametrize("loads", FASTER)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
async def test_faster_decoders_read_utf_8_only(loads: Any, encoding: str) -> None:
    """The default one recognizes other encodings and a byte order mark."""
    async with sending('{"transcriptions": []}'.encode(encoding)) as url:
        options: Any = {"token": "t", "endpoint": url, "retry": ONCE}
        async with TranscriptsClient(**options) as client:
            assert (await client.get_page()).items == ()
        async with TranscriptsClient(**options, json_loads=loads) as client:
            with pytest.raises(InvalidResponseError, match="json_loads can't decode"):
                await client.get_page()


async def test_value_of_another_type_is_named() -> None:
    """A decoder may return other types for numbers; fields of rows accept none of them."""
    async with sending(b'{"transcriptions": [{"id": "t-1", "status": 1.5}]}') as url:
        loads = partial(json.loads, parse_float=Decimal)
        async with TranscriptsClient(token="t", endpoint=url, json_loads=loads) as client:
            with pytest.raises(InvalidRowError, match="expected a string, found Decimal"):
                await client.get_page()


class Lookup:
    """An object of a decoder that is not a dict, and has no more than a subscript."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


async def test_row_that_is_not_a_dict_is_an_invalid_row() -> None:
    """This applies even if nearly all that a row needs can be read from it."""

    def loads(body: bytes) -> Any:
        data = json.loads(body)
        del data["transcriptions"][0]["end"]
        return data | {"transcriptions": [Lookup(row) for row in data["transcriptions"]]}

    async with FakeVideoSDK() as fake:
        fake.add_transcription(room_id=ROOM)
        async with fake.client(json_loads=loads) as client:
            with pytest.raises(InvalidRowError, match="expected an object, found Lookup"):
                await anext(client.iter_transcriptions(ROOM))
