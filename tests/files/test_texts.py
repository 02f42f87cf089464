"""`fetch_texts`: rows with their texts, in order, with failures as values."""

import asyncio
import gc
import tracemalloc
from typing import Any

import pytest
from attrs import frozen

from videosdk_transcripts import (
    ClientClosedError,
    ConfigurationError,
    FetchedText,
    FileGoneError,
    FileNotReadyError,
    FileTextError,
    ServerError,
    Transcription,
    TranscriptsClient,
)
from videosdk_transcripts.testing import Delay, FakeVideoSDK, Status

from ..conftest import until
from ..matrix.leaving import client_tasks, open_connections
from .support import ROOM, send_part

SECRET_WORDS = "the words that nobody else may read"


@pytest.fixture
def ids(fake: FakeVideoSDK) -> list[str]:
    """Serve 45 rows, whose texts are their ids, and return these."""
    for row in fake.add_transcriptions(45, room_id=ROOM):
        fake.files.put(row, "txt", row["id"].encode())
        fake.files.put(row, "txt", f"about {row['id']}".encode(), summary=True)
    return [row["id"] for row in fake.rows]


async def test_texts_come_with_their_rows_in_order(
    fake: FakeVideoSDK, client: TranscriptsClient, ids: list[str]
) -> None:
    """The order in which files arrive does not matter."""
    fake.files.fail_next(Delay(0.05), Delay(0.02))
    found = [one async for one in client.fetch_texts(client.iter_transcriptions(ROOM))]
    assert [one.transcription.id for one in found] == [one.text for one in found] == ids
    assert [one.error for one in found] == [None] * 45
    summaries = client.fetch_texts(client.iter_transcriptions(ROOM, limit=3), summary=True)
    assert [one.text async for one in summaries] == [f"about {i}" for i in ids[:3]]


async def test_missing_text_is_a_result_with_the_reason(
    fake: FakeVideoSDK, client: TranscriptsClient, ids: list[str]
) -> None:
    """The run continues; an empty text is not a missing one."""
    del fake.rows[1]["transcriptionFilePaths"]
    fake.files.expire(ids[2], renew=False)
    fake.files.put(fake.rows[3], "txt", b"\xff")
    fake.files.put(fake.rows[4], "txt", b"")
    found = [one async for one in client.fetch_texts(client.iter_transcriptions(ROOM))]
    assert [one.transcription.id for one in found] == ids
    assert [type(one.error) for one in found[:6]] == [
        type(None),
        FileNotReadyError,
        FileGoneError,
        FileTextError,
        type(None),
        type(None),
    ]
    assert [one.text for one in found[:6]] == [ids[0], None, None, None, "", ids[5]]
    error = found[2].error
    assert error is not None
    assert error.__traceback__ is None
    replaced = client.fetch_texts(client.iter_transcriptions(ROOM, limit=4), errors="replace")
    assert [one.text async for one in replaced][3] == "\N{REPLACEMENT CHARACTER}"


async def test_format_is_chosen(fake: FakeVideoSDK, client: TranscriptsClient) -> None:
    """Recordings have several formats."""
    row = fake.add_post_transcription(room_id=ROOM)
    fake.files.put(row, "vtt", b"WEBVTT\n")
    texts = client.fetch_texts(client.iter_post_transcriptions(ROOM), "vtt")
    assert [one.text async for one in texts] == ["WEBVTT\n"]


async def test_any_async_iterable_of_rows_is_accepted(
    client: TranscriptsClient, ids: list[str]
) -> None:
    """Then there is no checkpoint and no total."""
    rows = [t async for t in client.iter_transcriptions(ROOM, limit=3)]

    async def some() -> Any:
        for row in rows:
            yield row

    texts = client.fetch_texts(some())
    assert [one.text async for one in texts] == ids[:3]
    assert (texts.checkpoint, texts.done, texts.total) == (None, 3, None)


async def test_repr_shows_no_text() -> None:
    """It may be logged."""
    one = FetchedText(Transcription("a"), SECRET_WORDS)
    assert SECRET_WORDS not in repr(one)
    assert "Transcription(id='a'" in repr(one)


async def test_error_of_the_walk_is_raised_in_its_place(
    fake: FakeVideoSDK, client: TranscriptsClient, ids: list[str]
) -> None:
    """It is raised after the texts before it, with a checkpoint, and the next loop continues."""
    fake.on_page(2, Status(500), times=3)
    texts = client.fetch_texts(client.iter_transcriptions(ROOM, readahead=0))
    found: list[str | None] = []

    async def collect() -> None:
        async for one in texts:
            found.append(one.text)  # noqa: PERF401 - kept when it is ended by an error

    with pytest.raises(ServerError) as caught:
        await collect()
    assert found == ids[:20]
    rest = client.fetch_texts(client.iter_transcriptions(ROOM, resume=caught.value.checkpoint))
    assert [one.text async for one in rest] == ids[20:]
    # That was the last attempt at the same page.
    await collect()
    assert found == ids


async def test_closed_client_ends_the_run(client: TranscriptsClient, ids: list[str]) -> None:
    """It is not a failure of a row."""
    texts = client.fetch_texts(client.iter_transcriptions(ROOM))
    assert (await anext(texts)).text == ids[0]
    await client.aclose()
    with pytest.raises(ClientClosedError):
        await read_all(texts)


async def test_row_of_another_type_is_rejected(client: TranscriptsClient) -> None:
    """It is a mistake of the caller, not a failure of a row."""

    async def numbers() -> Any:
        yield 5

    with pytest.raises(ConfigurationError, match="pass a transcription"):
        await anext(client.fetch_texts(numbers()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency must be a whole number"),
        ({"format": ""}, "format must be a non-empty string"),
        ({"format": None}, "format must be a non-empty string"),
        ({"errors": "xml"}, "errors must be one of"),
        ({"transcriptions": []}, "fetch_texts requires an async iterable"),
    ],
)
def test_bad_arguments_are_rejected_immediately(options: dict[str, Any], message: str) -> None:
    """Nothing has been sent by then."""
    client = TranscriptsClient(token="t")
    options = {"transcriptions": client.iter_transcriptions(), **options}
    with pytest.raises(ConfigurationError, match=message):
        client.fetch_texts(**options)


async def read_all(texts: Any) -> None:
    """Read until the end, an error or a cancellation."""
    async for _ in texts:
        pass


async def raise_at_first(texts: Any) -> None:
    """Raise an error within the loop."""
    async for _ in texts:
        raise KeyError


@frozen
class Case:
    """A way to leave a loop."""

    way: str

    async def leave(self, client: TranscriptsClient, fake: FakeVideoSDK) -> None:
        """Start a run whose texts stall except the first one, and leave it."""
        texts = client.fetch_texts(client.iter_transcriptions(ROOM))
        match self.way:
            case "break":
                async for _ in texts:
                    break
            case "error":
                with pytest.raises(KeyError):
                    await raise_at_first(texts)
            case "cancel":
                task = asyncio.ensure_future(read_all(texts))
                await until(lambda: len(fake.files.requests) >= 4)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            case _:
                async with texts:
                    await anext(texts)
                assert not client_tasks()


@pytest.mark.parametrize("way", ["break", "error", "cancel", "async with"])
async def test_leaving_the_loop_leaks_nothing(
    fake: FakeVideoSDK, client: TranscriptsClient, ids: list[str], way: str
) -> None:
    """P5, for each way of leaving, with texts in flight."""

    async def stall(exchange: Any) -> Any:
        if exchange.request.match_info["id"] == ids[0]:
            return exchange.response()
        return await send_part(exchange, 100)

    fake.files.fail_next(stall, times=99)
    await Case(way).leave(client, fake)
    gc.collect()
    await until(lambda: not client_tasks())
    await client.aclose()
    await until(lambda: not open_connections(fake))


async def test_memory_is_bounded_by_the_concurrency(
    fake: FakeVideoSDK, client: TranscriptsClient
) -> None:
    """A long run has few texts in memory, even while the caller is slow."""
    size = 500_000
    for row in fake.add_transcriptions(20, room_id=ROOM):
        fake.files.put(row, "txt", b"x" * size)
    tracemalloc.start()
    try:
        async for one in client.fetch_texts(client.iter_transcriptions(ROOM), concurrency=2):
            assert len(one.text or "") == size
            del one
            for _ in range(20):
                await asyncio.sleep(0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The server's copies are counted as well.
    assert peak < 14 * size
